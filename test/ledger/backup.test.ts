import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectLedger, createLedgerWriter, migrateLedger, moveLedger, type Ledger } from '../../ledger/index.ts';
import { backupLedger } from '../../ledger/backup.ts';
import { deploymentOf, eventOf } from '../api/support/deployment.ts';
import { lakeshift, type Ran } from '../cli/support/run.ts';
import { freshDatabase } from '../support/servers.ts';
import { contentOf, fillLedger, tellingWriter } from './support.ts';

interface Own {
  readonly ledger: Ledger;
  readonly run: (...args: readonly string[]) => Promise<Ran>;
  readonly drop: () => Promise<void>;
}

let folder: string;
let file: string;
let from: Own;
let into: Own;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeshift-backup-'));
  file = join(folder, 'ledger.jsonl');
  await writeFile(join(folder, 'lakeshift.yaml'), 'ledger: { url: "${env:LEDGER_URL}" }\n');
  [from, into] = await Promise.all([own(), own()]);
  await migrateLedger(from.ledger);
  await fillLedger(tellingWriter(from.ledger, 'ops'));
});
afterEach(async () => {
  await Promise.all([from.drop(), into.drop()]);
  await rm(folder, { recursive: true });
});

async function own(): Promise<Own> {
  const database = await freshDatabase();
  const ledger = connectLedger(database.url);
  const env = { LAKESHIFT_CONFIG: join(folder, 'lakeshift.yaml'), LEDGER_URL: database.url };
  return {
    ledger,
    run: (...args) => lakeshift(['ledger', ...args], { env }),
    async drop() {
      await ledger.destroy();
      await database.drop();
    },
  };
}

const saying = (pattern: RegExp) => ({ code: 2, err: expect.stringMatching(pattern) as unknown });
const isUntouched = async (): Promise<boolean> => Object.keys(await contentOf(into.ledger)).length === 0;

test('a backup goes into an empty database, and everything is as it was, to the microsecond and the last digit', async () => {
  expect(await from.run('backup', file)).toMatchObject({
    code: 0,
    out: expect.stringMatching(/3 rows of approvals/) as unknown,
  });
  expect(await into.run('restore', file)).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^restored as of .*4 rows of deployments/) as unknown,
  });
  expect(await contentOf(into.ledger)).toEqual(await contentOf(from.ledger));
});

test('it is lines of JSON with a header and a sum, for its owner alone, and whole or not there', async () => {
  await from.run('backup', file);
  const lines = (await readFile(file, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  expect(lines[0]).toMatchObject({
    format: 'lakeshift-ledger-backup-1',
    migrations: expect.arrayContaining(['0001-deployments']) as unknown,
  });
  expect(lines.slice(1, -1).every((line) => Array.isArray(line) && line.length === 2)).toBe(true);
  expect(lines.at(-1)).toMatchObject({
    rows: { deployments: 4, plans: 1 },
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
  });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const before = await readFile(file, 'utf8');
  await from.drop();
  expect((await from.run('backup', file)).code).toBe(1);
  expect(await readFile(file, 'utf8')).toBe(before);
  expect(await readdir(folder)).toEqual(['lakeshift.yaml', 'ledger.jsonl'].sort());
  from = await own();
});

test.each<[string, (text: string) => string]>([
  ['in which one digit is another', (text) => text.replace('"seq":3', '"seq":7')],
  ['in which a line is missing', (text) => text.replace(/\n\["events".*/, '')],
  ['that ends in the middle of a line', (text) => text.slice(0, text.length / 2)],
  ['that ends after a line', (text) => text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1)],
  ['with something behind its end', (text) => `${text}["events",{}]\n`],
  ['that is none', () => 'a shopping list\nand more\n'],
  ['that is empty', () => ''],
])('a file %s is refused, and nothing is touched', async (_, spoil) => {
  await from.run('backup', file);
  const text = await readFile(file, 'utf8');
  await writeFile(file, spoil(text));
  expect(await into.run('restore', file)).toMatchObject(saying(/damaged|no backup/));
  expect(await isUntouched()).toBe(true);
  expect(await into.run('restore', join(folder, 'none'))).toMatchObject(saying(/can't be read \(ENOENT\)/));
});

test('a ledger that is not empty is refused, unless it is said that it shall be replaced', async () => {
  await from.run('backup', file);
  await migrateLedger(into.ledger);
  await deploymentOf(createLedgerWriter(into.ledger), 'other-00000001').tell({ seq: 1, kind: 'started' });
  const before = await contentOf(into.ledger);
  expect(await into.run('restore', file)).toMatchObject(saying(/not empty \(deployments\).*--replace/));
  expect(await contentOf(into.ledger)).toEqual(before);
  expect((await into.run('restore', file, '--replace')).code).toBe(0);
  expect(await contentOf(into.ledger)).toEqual(await contentOf(from.ledger));
});

test('a backup of an older version is brought to the form of this one', async () => {
  await moveLedger(from.ledger, 1);
  await from.run('backup', file);
  const older = await contentOf(from.ledger);
  expect((await into.run('restore', file)).code).toBe(0);
  expect(await contentOf(into.ledger)).toEqual({ ...older, plans: [], outbox: [] });
  // also when the ledger had the newer form already
  expect((await into.run('restore', file, '--replace')).code).toBe(0);
  expect(await contentOf(into.ledger)).toEqual({ ...older, plans: [], outbox: [] });
});

test('a backup of a newer version is refused', async () => {
  await from.run('backup', file);
  await writeFile(file, (await readFile(file, 'utf8')).replace(/"000\d-\w+"\]/, '"9999-later"]'));
  expect(await into.run('restore', file)).toMatchObject(saying(/newer version \(9999-later\)/));
  expect(await isUntouched()).toBe(true);
});

test('a backup is of one moment, though deployments go on recording while it is written', async () => {
  const writer = createLedgerWriter(from.ledger);
  const { id, plan, status } = deploymentOf(writer, 'busy-00000001');
  const record = (seq: number) =>
    writer.record({ id, plan, status: { ...status, changedAt: seq }, events: [eventOf({ seq, kind: 'verdict' })] });
  for (let seq = 1; seq <= 20; seq += 1) await record(seq);
  let seq = 20;
  let text = '';
  await backupLedger(from.ledger, 0, async (part) => {
    text += part;
    await record((seq += 1));
  });
  expect(seq).toBeGreaterThan(25);
  await writeFile(file, text);
  expect((await into.run('restore', file)).code).toBe(0);
  const { events = [], verdicts = [], deployments = [] } = await contentOf(into.ledger);
  expect(events.filter((row) => row.includes('busy'))).toHaveLength(20);
  expect(verdicts.filter((row) => row.includes('busy'))).toHaveLength(20);
  expect(deployments.find((row) => row.includes('busy-00000001'))).toContain('"seq":20');
});
