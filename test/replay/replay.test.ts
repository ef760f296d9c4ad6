import { readdirSync, readFileSync } from 'node:fs';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { workflowBundle } from '../support/servers.ts';
import { stories } from './stories.ts';

const folder = new URL('histories/', import.meta.url);
const names = readdirSync(folder).map((file) => file.replace(/\.json$/, ''));
const historyOf = (name: string): { events: { eventType: string }[] } =>
  JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as { events: { eventType: string }[] };

beforeAll(
  () =>
    void Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR' } } }),
);

const replay = (history: unknown): Promise<void> =>
  Worker.runReplayHistory({ workflowBundle: workflowBundle() }, history, 'replayed');

describe('a deployment under way goes on with this code', () => {
  test.each(names)('%s', async (name) => {
    await replay(historyOf(name));
  });
});

test('every story that is told has its history', () => {
  expect(names.sort()).toEqual(Object.keys(stories).sort());
});

test('a history in which the table was never given back does not replay', async () => {
  const { events } = historyOf('expand-contract-refused');
  const isRelease = (event: object): boolean => JSON.stringify(event).includes('"release"');
  const first = events.findIndex(isRelease);
  expect(first).toBeGreaterThan(0);
  const renamed = events.map((event, index) =>
    index === first ? (JSON.parse(JSON.stringify(event).replace('"release"', '"record"')) as typeof event) : event,
  );
  await expect(replay({ events: renamed })).rejects.toMatchObject({ name: 'DeterminismViolationError' });
});
