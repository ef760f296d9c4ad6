export { connectLedger, ledgerSchema, type Ledger, type LedgerOptions } from './connect.ts';
export { ledgerVersion, migrateLedger, moveLedger, refuseNewerLedger, type Move } from './migrate.ts';
export { backupLedger } from './backup.ts';
export { restoreLedger, type Restored } from './restore.ts';
export { createLedgerWriter, type LedgerWriter } from './write.ts';
export {
  createLedgerReader,
  type KeptDeployment,
  type KeptEvent,
  type LedgerReader,
  type ListFilter,
  type Pulse,
} from './read.ts';
export { isLedgerFailure, ledgerFailureCode, LedgerRefusal } from './failure.ts';
export { createOutbox, type ClaimedMessage, type Outbox } from './deliveries.ts';
export type { Announcer } from './outbox.ts';
export type { Rebuilt } from './rebuild.ts';
export type { NamedDeployment } from './named.ts';
export type { KeptPlan } from './plans.ts';
export type { KeptStart, Reservation } from './starts.ts';
