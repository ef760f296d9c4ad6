"""Logs models and writes where each is, as JSON: a name of its own for each."""

import json
import sys

import mlflow
from mlflow.models import ModelSignature
from mlflow.types.schema import ColSpec, Schema

tracking, code = sys.argv[1:]
mlflow.set_tracking_uri(tracking)
numbers = Schema([ColSpec("long")])


def log(name, wrong_every, *columns):
    signature = ModelSignature(Schema([ColSpec(type, column) for column, type in columns]), numbers)
    with mlflow.start_run() as run:
        config = {"wrong_every": wrong_every}
        # with requirements that are given nobody has to find out what the model imports, in a process of its own
        logged = mlflow.pyfunc.log_model(
            name=name, python_model=code, signature=signature, model_config=config, pip_requirements=["mlflow-skinny"]
        )
        return {"id": logged.model_id, "run": run.info.run_id}


models = {
    "usual": log("usual", 5, ("n", "long")),
    "better": log("better", 50, ("n", "long")),
    "wider": log("wider", 50, ("n", "long"), ("m", "long")),
}
print(json.dumps(models))
