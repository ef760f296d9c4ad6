/** How rows are known to the server. */
export const keyKinds = {
  bigint: { sql: 'id bigint', columns: ['id'], of: (n: number) => [String(n * 3)] },
  composite: { sql: 'region text, no integer', columns: ['region', 'no'], of: (n: number) => [`r${n % 3}`, String(n)] },
  uuid: {
    sql: 'id uuid',
    columns: ['id'],
    of: (n: number) => [`${((n * 2_654_435_761) % 2 ** 32).toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`],
  },
  text: { sql: 'id text', columns: ['id'], of: (n: number) => [`${n % 7}'k",%\\ ${n}`] },
  none: { sql: 'id bigint', columns: [], of: (n: number) => [String(n % 5)] },
} satisfies Record<string, { sql: string; columns: readonly string[]; of: (n: number) => readonly string[] }>;

export type KeyKind = keyof typeof keyKinds;
export const keyNames = Object.keys(keyKinds) as readonly KeyKind[]; // the keys of that very object
