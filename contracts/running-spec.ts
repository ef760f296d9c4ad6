/** Long work in flight: what becomes of it when everything is switched. */
export type RunningSpec = RunningBase &
  (
    | {
        /** It finishes where it began: follow-up requests go to the coordinator that knows the query. */
        readonly finishOn: 'old';
        /** Name of the HTTPRoute that sends requests to the Service. */
        readonly route: string;
        /** The address of the clients. */
        readonly address: string;
        /** Services that select one side each. Default: called like the Deployments. */
        readonly services?: { readonly blue: string; readonly green: string };
      }
    | {
        /** The switch waits until no query runs on the old side. */
        readonly wait: 'idle';
      }
    | {
        /** The follow-up requests fail, and a person allows it. */
        readonly accept: 'failed-queries';
      }
  );

interface RunningBase {
  readonly engine: 'trino';
  /** Addresses of the two coordinators, as the worker reaches them. */
  readonly coordinators: { readonly blue: string; readonly green: string };
  /** Who asks them (X-Trino-User). Default `lakeshift`. */
  readonly user?: string;
  /** How long running queries are waited for. Default `2h`. */
  readonly timeout?: string;
}
