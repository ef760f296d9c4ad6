import { ConfigError, loadConfig, type Config } from '../../config/index.ts';
import { connectLedger, isLedgerFailure, ledgerFailureCode, LedgerRefusal, type Ledger } from '../../ledger/index.ts';
import { Refused, Unreachable } from '../failure.ts';
import { findInstallation } from '../installation.ts';

/** What a command on the ledger works with. */
export interface LedgerWork {
  readonly ledger: Ledger;
  readonly config: Config;
  /** The environment, with the address of the embedded Temporal when it names none. */
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Does something with the ledger of the configuration that is found here. Throws Refused when there is none or the
 * ledger's state forbids it, Unreachable when it does not answer.
 */
export async function withLedger<T>(env: NodeJS.ProcessEnv, work: (tools: LedgerWork) => Promise<T>): Promise<T> {
  const { configFile, env: around } = await findInstallation(env);
  const config = await configOf(configFile, around);
  const ledger = connectLedger(config.ledger.url, { connections: 2, statementTimeoutMs: 0 });
  try {
    return await work({ ledger, config, env: around });
  } catch (error) {
    if (error instanceof LedgerRefusal) throw new Refused(error.message);
    if (!isLedgerFailure(error)) throw error;
    // A driver's message may quote an address or a value; its code does not.
    throw new Unreachable(`the ledger did not take or give its answer (${ledgerFailureCode(error)})`);
  } finally {
    await ledger.destroy();
  }
}

async function configOf(file: string | null, env: NodeJS.ProcessEnv): Promise<Config> {
  if (file === null) throw new Refused('there is no lakeshift.yaml here and no LAKESHIFT_CONFIG: where is the ledger?');
  try {
    return await loadConfig(file, env, { without: ['targets', 'api', 'approvals'] });
  } catch (error) {
    throw error instanceof ConfigError ? new Refused(error.message) : error;
  }
}
