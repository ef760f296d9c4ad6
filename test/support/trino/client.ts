/** A query that a client runs, page by page as Trino's protocol says; nothing is tried again. */
export interface ClientQuery {
  readonly id: string;
  /** The five characters by which its coordinator is known. */
  readonly coordinator: string;
  /** Fetches all pages that are left, and gives the values of the first column. */
  readonly rest: () => Promise<readonly number[]>;
}

interface Page {
  readonly id: string;
  readonly nextUri?: string;
  readonly data?: readonly (readonly [number])[];
  readonly error?: { readonly message: string };
}

/** Begins a statement at that address and fetches pages until there is data; then whoever has begun it reads on when they like. */
export async function beginQuery(address: string, sql: string): Promise<ClientQuery> {
  const values: number[] = [];
  let page = await take(await send(`${address}/v1/statement`, { method: 'POST', body: sql }), values);
  const next = async (uri: string): Promise<void> => {
    page = await take(await send(uri, {}), values);
  };
  while (page.nextUri !== undefined && values.length === 0) await next(page.nextUri);
  return {
    id: page.id,
    coordinator: page.id.slice(-5),
    rest: async () => {
      while (page.nextUri !== undefined) await next(page.nextUri);
      return values;
    },
  };
}

/** Runs a statement to its end. */
export async function runQuery(
  address: string,
  sql: string,
): Promise<ClientQuery & { readonly values: readonly number[] }> {
  const query = await beginQuery(address, sql);
  return { ...query, values: await query.rest() };
}

/** So many rows that nobody gets all of them with the first pages. */
export const manyRows = 40_000;

/** A query that goes on until its client has read all of it. */
export const longQuery = `SELECT sequential_number, lpad('x', 200, 'y') FROM TABLE(sequence(1, ${manyRows}))`;

const send = (uri: string, more: RequestInit): Promise<Response> =>
  fetch(uri, { ...more, headers: { 'x-trino-user': 'analyst' } });

async function take(response: Response, values: number[]): Promise<Page> {
  if (response.status !== 200) throw new Error(`HTTP status ${response.status} of ${response.url}`);
  const page = (await response.json()) as Page; // what Trino's protocol promises
  if (page.error !== undefined) throw new Error(page.error.message);
  for (const [value] of page.data ?? []) values.push(value);
  return page;
}
