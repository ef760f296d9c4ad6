import { chmod, lstat, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { failures, type FailureCode } from '../../../contracts/failures.ts';
import type { Route } from '../../../contracts/route.ts';
import { describeOnKubernetes, freshNamespace, type TestNamespace } from '../../support/kubernetes/cluster.ts';
import { rights } from '../../support/kubernetes/rights.ts';
import type { Sample } from '../../support/traffic/ground.ts';
import { Hands } from '../../support/traffic/hands.ts';
import {
  haproxyGround,
  lacksHaproxy,
  lacksNginx,
  nginxGround,
  type HaproxyGround,
  type NginxGround,
} from '../../support/traffic/proxy-grounds.ts';

const failureOf = (work: Promise<unknown>): Promise<{ readonly code: FailureCode; readonly family: string }> =>
  work.then(
    () => Promise.reject(new Error('it was not refused')),
    (error: unknown) => {
      const { type: code } = error as { readonly type: FailureCode }; // what activities throw has its code as its type
      return { code, family: failures[code].family };
    },
  );

/** The same route at a router that is not there. */
const elsewhere = (route: Route): Route => ('router' in route ? { ...route, router: 'nobody' } : route);

describeOnKubernetes('weights outside of the cluster', () => {
  let namespace: TestNamespace;
  beforeAll(async () => {
    namespace = await freshNamespace();
    await namespace.allow(...rights);
  }, 60_000);
  afterAll(() => namespace.drop());

  (lacksHaproxy === '' ? describe : describe.skip)('at HAProxy', () => {
    let ground: HaproxyGround;
    let hands: Hands;
    let sample: Sample;
    beforeAll(async () => {
      ground = await haproxyGround(namespace);
      hands = await Hands.open(namespace, ground);
      sample = await ground.fresh('haproxy');
      await hands.claim(sample);
    }, 60_000);
    afterAll(async () => {
      await hands.close();
      await ground.stop();
    });

    test('are unknown while another server takes requests, or a side is in maintenance', async () => {
      await hands.set(sample, sample.route, 25);
      for (const [command, undo, because] of [
        ['set weight split/spare 100', 'set weight split/spare 0', 'server spare takes requests besides the two sides'],
        ['set server split/stable state maint', 'set server split/stable state ready', 'server stable is in MAINT'],
        [
          'set server split/candidate state drain',
          'set server split/candidate state ready',
          'server candidate is in DRAIN',
        ],
      ] as const) {
        await ground.command(command);
        expect(await hands.read(sample.route)).toEqual({ weight: null, because });
        await ground.command(undo);
        expect(await hands.read(sample.route)).toMatchObject({ weight: 25 });
      }
    });

    test('are set by nobody while its runtime API does not answer', async () => {
      await hands.set(sample, sample.route, 50);
      process.kill(ground.pid, 'SIGSTOP');
      try {
        const busy = { code: 'TARGET_UNREACHABLE', family: 'busy' };
        expect(await failureOf(hands.set(sample, sample.route, 100))).toEqual(busy);
        expect(await failureOf(hands.set(sample, elsewhere(sample.route), 100))).toEqual(busy);
      } finally {
        process.kill(ground.pid, 'SIGCONT');
      }
      expect(await hands.read(sample.route)).toMatchObject({ weight: 50 });
      expect(await hands.set(sample, sample.route, 100)).toMatchObject({ weight: 100 });
    }, 60_000);
  });

  (lacksNginx === '' ? describe : describe.skip)('at NGINX', () => {
    let ground: NginxGround;
    let samples = 0;
    let hands: Hands;
    let sample: Sample;
    beforeAll(async () => {
      ground = await nginxGround(namespace);
      hands = await Hands.open(namespace, ground);
    }, 60_000);
    afterAll(async () => {
      await hands.close();
      await ground.stop();
    });
    beforeEach(async () => {
      sample = await ground.fresh(`nginx-${(samples += 1)}`);
      await hands.claim(sample);
    });
    const content = (): Promise<string> => readFile(ground.file, 'utf8');

    test('are unknown after a reload that failed, and the next write heals the file', async () => {
      await hands.set(sample, sample.route, 5);
      const healthy = await content();
      ground.breakReload(true);
      expect(await failureOf(hands.set(sample, sample.route, 25))).toEqual({ code: 'TARGET_BUSY', family: 'busy' });
      expect(await content()).toContain('# not read by NGINX yet');
      expect(await hands.read(sample.route)).toEqual({
        weight: null,
        because: 'the file was written, and NGINX has not read it',
      });
      ground.breakReload(false);
      expect(await hands.set(sample, sample.route, 5)).toMatchObject({ weight: 5 });
      expect(await content()).toBe(healthy);
    }, 60_000);

    test('are unknown while another server takes requests', async () => {
      await writeFile(ground.file, `${await content()}server 127.0.0.1:3;\n`);
      expect(await hands.look(sample.route)).toMatchObject({
        state: { weight: null, because: 'server 127.0.0.1:3 takes requests besides the two sides' },
      });
      await writeFile(ground.file, (await content()).replace('127.0.0.1:3;', '127.0.0.1:3 down;'));
      expect(await hands.look(sample.route)).toMatchObject({ state: { weight: 0 } });
    });

    test('leave the file as readable as it was, and a link a link', async () => {
      await chmod(ground.file, 0o640);
      await rename(ground.file, `${ground.file}.real`);
      await symlink(`${ground.file}.real`, ground.file);
      await hands.set(sample, sample.route, 25);
      expect((await lstat(ground.file)).isSymbolicLink()).toBe(true);
      expect((await stat(ground.file)).mode & 0o777).toBe(0o640);
      await rename(`${ground.file}.real`, ground.file);
    });

    test('are set by nobody when it has ended', async () => {
      await ground.end();
      expect((await failureOf(hands.set(sample, sample.route, 25))).family).toBe('busy');
      expect(await hands.read(sample.route)).toMatchObject({ weight: null });
      const gone = elsewhere(sample.route);
      expect(await failureOf(hands.set(sample, gone, 25))).toEqual({ code: 'TARGET_UNREACHABLE', family: 'busy' });
    }, 60_000);
  });
});
