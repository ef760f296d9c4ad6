"""A model as code: says whether a number is odd, and is wrong about every so many."""

import mlflow
from mlflow.pyfunc import PythonModel


class Parity(PythonModel):
    def predict(self, context, model_input, params=None):
        every = context.model_config["wrong_every"]
        numbers = model_input["n"]
        return ((numbers % 2) ^ (numbers % every == 0)).astype(int).tolist()


mlflow.models.set_model(Parity())
