export { connectLedger, ledgerSchema, type Ledger, type LedgerOptions } from './connect.ts';
export { migrateLedger } from './migrate.ts';
export { createLedgerWriter, type LedgerWriter } from './write.ts';
export {
  createLedgerReader,
  type KeptDeployment,
  type KeptEvent,
  type LedgerReader,
  type ListFilter,
  type Pulse,
} from './read.ts';
export { isLedgerFailure, ledgerFailureCode } from './failure.ts';
export type { NamedDeployment } from './named.ts';
export type { KeptPlan } from './plans.ts';
export type { KeptStart, Reservation } from './starts.ts';
