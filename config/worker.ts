/** What a worker process is told by its environment alone: it concerns the process, not the deployments. */
export interface WorkerSettings {
  /** `host:port` where Prometheus finds the worker's metrics (`LAKESHIFT_WORKER_METRICS`); null: nowhere. */
  readonly metricsAddress: string | null;
  /** Whether whoever started the process wants it to end when they are gone (`LAKESHIFT_SUPERVISED`). */
  readonly supervised: boolean;
  /**
   * File with the workflows of this release, bundled beforehand (`LAKESHIFT_WORKFLOW_BUNDLE`); null: they are bundled at
   * the start, which takes two seconds or three.
   */
  readonly workflowBundle: string | null;
}

/** Reads a worker's settings. */
export const loadWorkerSettings = (env: NodeJS.ProcessEnv = process.env): WorkerSettings => ({
  metricsAddress: env['LAKESHIFT_WORKER_METRICS'] ?? null,
  supervised: env['LAKESHIFT_SUPERVISED'] === '1',
  workflowBundle: env['LAKESHIFT_WORKFLOW_BUNDLE'] ?? null,
});
