import type pg from 'pg';

/** Which column an instance of the application reads and writes. */
export type Version = 'old' | 'new';

/** What a request needs to know. */
export interface RequestContext {
  readonly version: Version;
  /** The id of some row; it may be gone. */
  readonly someId: () => number;
  /** Tells of a row that was inserted. */
  readonly inserted: (id: number) => void;
}

/** One request of the application; answers false when it read a wrong amount. */
export type Request = (client: pg.Client, context: RequestContext) => Promise<boolean>;

/** What share of the requests each kind is, in percent. */
export const mix: readonly { readonly share: number; readonly request: Request }[] = [
  { share: 45, request: read },
  { share: 10, request: readByCustomer },
  { share: 14, request: insert },
  { share: 20, request: updateAmount },
  { share: 7, request: updateNote },
  { share: 3, request: remove },
  { share: 1, request: changeKey },
];

/** Picks a kind of request; `random` in [0, 1). */
export function pick(random: number): Request {
  let left = random * 100;
  for (const { share, request } of mix) {
    left -= share;
    if (left < 0) return request;
  }
  return read;
}

const columnOf = { old: 'amount', new: 'amount_cents' } as const;
/** The version's amount, in the twin's decimals. */
const asDecimal = { old: 'p.amount', new: 'p.amount_cents / 100.0' } as const;

async function read(client: pg.Client, { version, someId }: RequestContext): Promise<boolean> {
  const found = await client.query<{ same: boolean | null }>(
    `select ${asDecimal[version]} = t.amount as same
     from public.payments p join public.payments_twin t on t.id = p.id where p.id = $1`,
    [someId()],
  );
  return found.rows.every(({ same }) => same === true);
}

async function readByCustomer(client: pg.Client, { someId }: RequestContext): Promise<boolean> {
  await client.query(
    'select id, currency, created_at from public.payments where customer_id = $1 order by created_at desc limit 10',
    [1 + (someId() % 50_000)],
  );
  return true;
}

async function insert(client: pg.Client, { version, inserted }: RequestContext): Promise<boolean> {
  const cents = randomCents();
  const id = await inTransaction(client, async () => {
    const made = await client.query<{ id: string }>(
      `insert into public.payments (customer_id, ${columnOf[version]}, currency, note, created_at)
       values ($1, $2, 'EUR', 'made while it was deployed', now()) returning id`,
      [1 + (cents % 50_000), valueOf(version, cents)],
    );
    const row = made.rows[0]?.id ?? null;
    await client.query('insert into public.payments_twin (id, amount) values ($1, $2)', [row, valueOf('old', cents)]);
    return Number(row);
  });
  inserted(id);
  return true;
}

async function updateAmount(client: pg.Client, { version, someId }: RequestContext): Promise<boolean> {
  const id = someId();
  const cents = randomCents();
  await inTransaction(client, async () => {
    await client.query(`update public.payments set ${columnOf[version]} = $2 where id = $1`, [
      id,
      valueOf(version, cents),
    ]);
    await client.query('update public.payments_twin set amount = $2 where id = $1', [id, valueOf('old', cents)]);
  });
  return true;
}

/** Touches nothing that the deployment is about, and moves the row to another page by making it longer. */
async function updateNote(client: pg.Client, { someId }: RequestContext): Promise<boolean> {
  await client.query(`update public.payments set note = left(note, 30) || ' · looked at again' where id = $1`, [
    someId(),
  ]);
  return true;
}

async function remove(client: pg.Client, { someId }: RequestContext): Promise<boolean> {
  const id = someId();
  await inTransaction(client, async () => {
    await client.query('delete from public.payments where id = $1', [id]);
    await client.query('delete from public.payments_twin where id = $1', [id]);
  });
  return true;
}

async function changeKey(client: pg.Client, { someId }: RequestContext): Promise<boolean> {
  const id = someId();
  await inTransaction(client, async () => {
    const moved = await client.query<{ id: string }>(
      `update public.payments set id = nextval(pg_get_serial_sequence('public.payments', 'id')) where id = $1 returning id`,
      [id],
    );
    for (const row of moved.rows)
      await client.query('update public.payments_twin set id = $2 where id = $1', [id, row.id]);
  });
  return true;
}

async function inTransaction<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

const randomCents = (): number => 100 + Math.floor(Math.random() * 5_000_000);
const valueOf = (version: Version, cents: number): string =>
  version === 'new' ? String(cents) : (cents / 100).toFixed(2);
