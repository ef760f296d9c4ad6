import type { ActivityDependencies } from '../activities/index.ts';
import { failure } from '../activities/failures.ts';
import type { Config } from '../config/index.ts';
import {
  connectLedger,
  createLedgerReader,
  createLedgerWriter,
  isLedgerFailure,
  refuseNewerLedger,
} from '../ledger/index.ts';
import { createAnnouncer } from './notify/announcer.ts';

/** What the activities of a worker use, and how it is given back. */
export interface Dependencies {
  readonly activities: ActivityDependencies;
  /** Throws when the ledger is of a newer version; one that does not answer is waited for by nobody. */
  checkLedger(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Makes every client of the worker; nothing is connected before it is used. `onLedgerError` gets a code, never a text;
 * `onRecorded` is told that there may be something to send.
 */
export function createDependencies(
  config: Config,
  onLedgerError: (code: string) => void,
  onRecorded: () => void = () => undefined,
): Dependencies {
  const ledger = connectLedger(config.ledger.url, { onIdleError: onLedgerError });
  const closing = new AbortController();
  const writer = createLedgerWriter(ledger, createAnnouncer(config.notify));
  return {
    activities: {
      ...named(config),
      closing: closing.signal,
      metrics(name) {
        const source = config.metrics[name];
        return source === undefined ? null : { name, ...source };
      },
      tell: (progress) => writer.saveLive(progress),
      ledger: {
        writer: { record: (entry) => writer.record(entry).then(onRecorded) },
        reader: createLedgerReader(ledger),
      },
      approvals: config.approvals,
    },
    checkLedger: () =>
      refuseNewerLedger(ledger).catch((error: unknown) => {
        if (!isLedgerFailure(error)) throw error;
      }),
    close: () => {
      closing.abort();
      return ledger.destroy();
    },
  };
}

/** What the configuration has by name; each throws TARGET_UNKNOWN for another name. */
const named = ({
  targets,
  routers,
}: Config): Pick<ActivityDependencies, 'target' | 'cluster' | 'registry' | 'router'> => ({
  target(name) {
    const target = targets[name];
    if (target === undefined || target.dialect === 'kubernetes' || target.dialect === 'mlflow')
      throw failure('TARGET_UNKNOWN', `the worker knows no database ${name}`);
    return { name, url: target.url };
  },
  cluster(name) {
    const target = targets[name];
    if (target?.dialect !== 'kubernetes') throw failure('TARGET_UNKNOWN', `the worker knows no cluster ${name}`);
    const { kubeconfig, context } = target;
    return { name, kubeconfig, context };
  },
  registry(name) {
    const target = targets[name];
    if (target?.dialect !== 'mlflow') throw failure('TARGET_UNKNOWN', `the worker knows no registry ${name}`);
    const { url, token } = target;
    return { name, url, token };
  },
  router(name) {
    const router = routers[name];
    if (router === undefined) throw failure('TARGET_UNKNOWN', `the worker knows no router ${name}`);
    return router;
  },
});
