import type { Activities } from '../../contracts/activities.ts';
import { ledgerFailureCode, type LedgerReader, type LedgerWriter } from '../../ledger/index.ts';
import { failure } from '../failures.ts';

/** What the ledger's activities need. */
export interface LedgerDependencies {
  readonly ledger: {
    readonly writer: Pick<LedgerWriter, 'record'>;
    readonly reader: Pick<LedgerReader, 'lookUp'>;
  };
}

/**
 * The workflow's way to the ledger. Whatever its driver says is *busy*: a deployment waits for its ledger, it never
 * fails for it. Of the driver's error only the code goes on.
 */
export const createLedgerActivities = ({
  ledger: { writer, reader },
}: LedgerDependencies): Pick<Activities, 'record' | 'findDeployment'> => ({
  record: (entry) => writer.record(entry).catch(unreachable),
  findDeployment: ({ idOrName }) => reader.lookUp(idOrName).catch(unreachable),
});

const unreachable = (error: unknown): never => {
  throw failure('LEDGER_UNREACHABLE', `the ledger did not take or give its answer (${ledgerFailureCode(error)})`);
};
