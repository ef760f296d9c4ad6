/** The MLflow that tests run: the last one that pip resolves with what it needs. */
export const mlflowVersion = '3.17.2';

/** What pip is told: the light package, and of its needs those of the registry and of a scoring server. */
export const mlflowPackages = [
  `mlflow-skinny==${mlflowVersion}`,
  'alembic<2',
  'sqlalchemy<3',
  'Flask<4',
  'flask-cors',
  'fastapi',
  'uvicorn',
  'graphene',
  'pandas<3',
  'huey',
  'cryptography',
  'aiohttp',
] as const;
