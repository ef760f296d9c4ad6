import type { Bench, Figure } from './figures.ts';
import { BenchDeployment } from './deployment.ts';
import { inDatabase, PaymentsServer, type Cost } from './payments.ts';
import { getPgroll, preparePgroll } from './peers/pgroll.ts';

type Variant = 'plain' | 'lakeshift' | 'parallel' | 'pgroll';
/** Makes ready what is not timed, and gives back what is. */
type Prepare = (url: string) => Promise<() => Promise<void>>;
type Costs = Readonly<Record<Variant, Cost[]>>;

const lakeshift =
  (connections: number): Prepare =>
  async (url) => {
    const deployment = await BenchDeployment.claim(url);
    return () => deployment.backfill(connections);
  };

const plainUpdate: Prepare = (url) =>
  Promise.resolve(() =>
    inDatabase(url, 'copy', async (client) => {
      await client.query('ALTER TABLE payments ADD COLUMN amount_cents bigint');
      await client.query('UPDATE payments SET amount_cents = (round(amount * 100))::bigint');
    }),
  );

/** Rewrites one column of full pages in four ways, in turn, each on a fresh copy of the same database. */
export const backfillBench: Bench = async (options) => {
  const pgroll = await getPgroll(options.say);
  const variants: Partial<Record<Variant, Prepare>> = {
    plain: plainUpdate,
    lakeshift: lakeshift(1),
    parallel: lakeshift(4),
    ...(pgroll === null ? {} : { pgroll: (url: string) => preparePgroll(pgroll, url) }),
  };
  const costs = await compare(variants, 100, options);
  return {
    name: 'backfill',
    how: `${options.rows} rows, full pages, primary key and two indexes; CPU of all sessions; ratios of each round; one connection unless said`,
    figures: [
      ...faster('one plain UPDATE', costs.plain, costs.lakeshift, 1.6),
      wal(costs, 0.6),
      growth("our indexes in the table's order grow by", costs.lakeshift, ({ orderedGrowth }) => orderedGrowth, 1),
      growth('our index in random order grows by', costs.lakeshift, ({ randomGrowth }) => randomGrowth, 1),
      growth('all three under one plain UPDATE grow by', costs.plain, ({ orderedGrowth }) => orderedGrowth, null),
      ...faster('pgroll 0.14', costs.pgroll, costs.lakeshift, 3.5),
      rate('our rows per second', costs.lakeshift, options.rows),
      wallOf('one plain UPDATE ÷ ours on up to 4 connections', costs.plain, costs.parallel),
      ...faster('one connection ÷ up to 4', costs.lakeshift, costs.parallel, null).slice(0, 1),
      growth(
        'indexes in order, up to 4 connections, grow by',
        costs.parallel,
        ({ orderedGrowth }) => orderedGrowth,
        null,
      ),
    ].filter(({ rounds }) => rounds.length > 0),
  };
};

/** The same where each page has a fifth of its room free. */
export const roomyBackfillBench: Bench = async (options) => {
  const costs = await compare({ plain: plainUpdate, lakeshift: lakeshift(1) }, 80, options);
  return {
    name: 'backfill-roomy',
    how: `${options.rows} rows, fillfactor 80, primary key and two indexes; CPU of all sessions; ratios of each round; one connection`,
    figures: [
      ...faster('one plain UPDATE', costs.plain, costs.lakeshift, 2.2),
      wal(costs, null),
      growth("our indexes in the table's order grow by", costs.lakeshift, ({ orderedGrowth }) => orderedGrowth, 1),
      growth('our index in random order grows by', costs.lakeshift, ({ randomGrowth }) => randomGrowth, 1),
    ],
  };
};

async function compare(
  variants: Partial<Record<Variant, Prepare>>,
  fillfactor: number,
  { rows, rounds, binaries, say }: Parameters<Bench>[0],
): Promise<Costs> {
  say(`making a table of ${rows} rows`);
  return PaymentsServer.with({ rows, fillfactor, binaries }, async (server) => {
    const costs: Costs = { plain: [], lakeshift: [], parallel: [], pgroll: [] };
    for (let round = 1; round <= rounds; round++) {
      for (const name of ['plain', 'lakeshift', 'parallel', 'pgroll'] as const) {
        const prepare = variants[name];
        if (prepare === undefined) continue;
        const cost = await server.measure(prepare);
        costs[name].push(cost);
        say(
          `round ${round}: ${name} ${cost.cpu.toFixed(1)} s CPU, ${cost.wall.toFixed(1)} s wall, ${Math.round(cost.wal / 1e6)} MB WAL, indexes +${(cost.orderedGrowth * 100).toFixed(1)} and +${(cost.randomGrowth * 100).toFixed(1)} %`,
        );
      }
    }
    return costs;
  });
}

const ratio = (over: readonly Cost[], under: readonly Cost[], of: (cost: Cost) => number): number[] =>
  over.flatMap((cost, round) => {
    const other = under[round];
    return other === undefined ? [] : [of(cost) / of(other)];
  });

const faster = (what: string, peer: readonly Cost[], ours: readonly Cost[], goal: number | null): Figure[] => [
  {
    what: `CPU of ${what}${what.includes('÷') ? '' : ' ÷ ours'}`,
    unit: '×',
    rounds: ratio(peer, ours, ({ cpu }) => cpu),
    goal: goal === null ? null : { atLeast: goal },
  },
  wallOf(`${what}${what.includes('÷') ? '' : ' ÷ ours'}`, peer, ours),
];

const wallOf = (what: string, over: readonly Cost[], under: readonly Cost[]): Figure => ({
  what: `wall time of ${what}`,
  unit: '×',
  rounds: ratio(over, under, ({ wall }) => wall),
  goal: null,
});

const wal = ({ lakeshift: ours, plain }: Costs, atMost: number | null): Figure => ({
  what: 'WAL of ours ÷ one plain UPDATE',
  unit: '×',
  rounds: ratio(ours, plain, (cost) => cost.wal),
  goal: atMost === null ? null : { atMost },
});

const growth = (what: string, costs: readonly Cost[], of: (cost: Cost) => number, atMost: number | null): Figure => ({
  what,
  unit: '%',
  rounds: costs.map((cost) => of(cost) * 100),
  goal: atMost === null ? null : { atMost },
});

const rate = (what: string, costs: readonly Cost[], rows: number): Figure => ({
  what,
  unit: '/s',
  rounds: costs.map(({ wall }) => rows / wall),
  goal: null,
});
