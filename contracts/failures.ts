/** What a failure is and who has to do something about it; see docs/failures.md. */
export type Family = 'refused' | 'busy' | 'broken' | 'ambiguous';

export interface FailureKind {
  readonly family: Family;
  /** HTTP status. */
  readonly status: number;
  readonly title: string;
}

const refused = (status: number, title: string): FailureKind => ({ family: 'refused', status, title });
const busy = (title: string): FailureKind => ({ family: 'busy', status: 503, title });
const broken = (status: number, title: string): FailureKind => ({ family: 'broken', status, title });

/** Every code that this service answers, logs or stores. The runbook of a code is `docs/runbooks/<CODE>.md`. */
export const failures = {
  SPEC_INVALID: refused(422, 'The spec has mistakes'),
  PLAN_REFUSED: refused(422, 'The target does not allow this change'),
  REQUEST_INVALID: refused(422, 'The request has mistakes'),
  UNAUTHENTICATED: refused(401, 'A bearer token is needed'),
  FORBIDDEN: refused(403, 'The role of this token does not allow it'),
  NOT_FOUND: refused(404, 'There is no such thing here'),
  BODY_TOO_LARGE: refused(413, 'The request body is too large'),
  MEDIA_TYPE_UNKNOWN: refused(415, 'The request body is neither JSON nor YAML'),
  RATE_LIMITED: refused(429, 'Too many requests'),
  TARGET_TAKEN: refused(409, 'Another deployment holds the table'),
  KEY_REUSED: refused(409, 'This Idempotency-Key belongs to another spec'),
  SPEC_DIFFERS: refused(409, 'A deployment of this name is under way with another spec'),
  PLAN_STALE: refused(409, 'The plan that was shown can not be used'),
  ORDER_STALE: refused(409, 'The deployment is not at the stage that the order expects'),
  ORDER_REPEATED: refused(409, 'This has been ordered already'),
  ORDER_IMPOSSIBLE: refused(409, 'This order is not possible now'),
  ORDER_INVALID: refused(422, 'The order lacks something'),
  APPROVAL_NOT_COUNTED: refused(403, 'This approval does not count'),
  TARGET_POOLED: refused(409, 'The address of the target is a transaction pooler'),
  CONFIG_INVALID: refused(500, 'The configuration has mistakes'),
  TARGET_UNREACHABLE: busy('The target cannot be reached'),
  TARGET_FULL: busy('The target has no room left'),
  LOCK_NOT_ACQUIRED: busy('Other sessions hold the table'),
  TARGET_BUSY: busy('The target asks to be asked again later'),
  ENGINE_UNREACHABLE: busy('Temporal cannot be reached'),
  WORKER_ABSENT: busy('No worker answers on the task queue'),
  LEDGER_UNREACHABLE: busy('The ledger cannot be reached'),
  TARGET_UNKNOWN: broken(500, 'The worker knows no target of this name'),
  RIGHTS_MISSING: broken(500, 'Our role lacks a right in the target'),
  SQL_FAILED: broken(500, 'The target refused a statement of the plan'),
  CLUSTER_REFUSED: broken(500, 'The cluster refused what the plan applies'),
  REGISTRY_REFUSED: broken(500, 'The registry of models refused what the plan sets'),
  ROLLOUT_STUCK: broken(500, 'The new pods do not become ready'),
  TARGET_DRIFTED: broken(500, 'Somebody else has changed what we rely on'),
  GATE_HELD: broken(409, 'What was seen does not allow the next stage'),
  ROUTE_DRIFTED: broken(409, 'Somebody else writes the route'),
  VALIDATION_FAILED: broken(500, 'The new side does not answer as it should'),
  DEPENDENCY_AWAY: broken(409, 'A dependency of the new side does not answer'),
  QUERIES_RUNNING: broken(409, 'Queries still run on the side that is to go'),
  METRICS_BLIND: broken(409, "The source of the application's latency gives no data"),
  VERIFY_DIFFERS: broken(500, 'Rows differ between the two shapes'),
  FENCED: broken(500, 'A newer attempt has taken over'),
  INTERNAL: broken(500, 'The service made a mistake'),
  CLAIM_GONE: { family: 'ambiguous', status: 500, title: 'The claim of this deployment is gone from the target' },
  TRAFFIC_ELSEWHERE: { family: 'ambiguous', status: 500, title: 'The traffic does not go where the route says' },
  OUTCOME_UNKNOWN: { family: 'ambiguous', status: 500, title: 'It cannot be told whether it happened' },
} as const satisfies Record<string, FailureKind>;

export type FailureCode = keyof typeof failures;

/** What is said of one failure. `detail` never holds a row's value or a secret. */
export interface Failure {
  readonly code: FailureCode;
  readonly detail: string;
}
