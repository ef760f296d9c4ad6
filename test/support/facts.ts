import type { ExpressionFacts, TableFacts } from '../../contracts/facts.ts';

/** What inspect would see of a friendly table; override what a test is about. */
export function tableFacts(over: Partial<TableFacts> = {}): TableFacts {
  const column = (name: string, type: string, notNull: boolean) => ({
    name,
    type,
    notNull,
    hasDefault: false,
    constantDefault: null,
    generated: 'no' as const,
  });
  return {
    serverVersion: 180_004,
    schema: 'public',
    table: 'payments',
    oid: 4_711,
    kind: 'r',
    owner: 'shop',
    rows: 1_000_000,
    bytes: 142_000_000,
    pages: 13_000,
    fillfactor: 100,
    rowSecurity: false,
    columns: [column('id', 'bigint', true), column('amount', 'numeric(12,2)', true), column('note', 'text', false)],
    key: [{ name: 'id', type: 'bigint' }],
    indexes: 2,
    triggers: [],
    foreignKeys: [],
    views: [],
    publications: [],
    dependents: [],
    rights: { role: 'shop', superuser: false, ownsTable: true, schemaReady: true, temporary: true },
    expressions: [accepted('/changes/0/up', ['amount']), accepted('/changes/0/down', ['amount_cents'])],
    tablesNearby: [],
    holder: null,
    ...over,
  };
}

export const accepted = (pointer: string, reads: readonly string[] = []): ExpressionFacts => ({
  pointer,
  ok: true,
  code: null,
  name: null,
  reads,
});
