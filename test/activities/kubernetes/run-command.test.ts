import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { openCluster, type Cluster } from '../../../activities/kubernetes/cluster.ts';
import { runCommand } from '../../../activities/kubernetes/run-command.ts';
import { probeSide } from '../../../activities/traffic/probe-side.ts';
import type { ExecRef, Probe } from '../../../contracts/gate.ts';
import { kubeconfig } from '../../../tools/kubernetes/kubeconfig.ts';
import { freePort } from '../../../tools/ports.ts';
import {
  apisOf,
  describeOnKubernetes,
  freshNamespace,
  type Apis,
  type TestNamespace,
} from '../../support/kubernetes/cluster.ts';
import { deploymentOf } from '../../support/kubernetes/deployment.ts';
import { commandRights, rights } from '../../support/kubernetes/rights.ts';
import { until } from '../../support/until.ts';

const app = 'checkout';
const patient = 20_000;
const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);

describeOnKubernetes('a command in a pod', () => {
  let namespace: TestNamespace;
  let apis: Apis;
  let folder: string;
  let cluster: Cluster;
  let pods: readonly string[];
  beforeAll(async () => {
    namespace = await freshNamespace();
    apis = apisOf(namespace.admin);
    folder = await mkdtemp(join(tmpdir(), 'lakeshift-commands-'));
    cluster = await clusterOf('guest', kubeconfig(namespace.guest, 'lakeshift'));
    const made = deploymentOf(app, { replicas: 1 });
    await apis.apps.createNamespacedDeployment({ namespace: namespace.name, body: made });
    pods = await readyPods(1);
  }, 60_000);
  afterAll(async () => {
    await namespace.drop();
    await rm(folder, { recursive: true });
  });

  async function clusterOf(name: string, text: string): Promise<Cluster> {
    const file = join(folder, name);
    await writeFile(file, text, { mode: 0o600 });
    return openCluster({ name, kubeconfig: file, context: null });
  }
  const readyPods = (count: number): Promise<readonly string[]> =>
    until(
      `${count} ready pods`,
      async () => {
        const { items } = await apis.core.listNamespacedPod({ namespace: namespace.name, labelSelector: `app=${app}` });
        const ready = items.filter(({ status }) =>
          (status?.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True'),
        );
        return ready.length === count ? ready.map(({ metadata }) => metadata?.name ?? '') : null;
      },
      patient,
    );
  const of = (wishes: Partial<ExecRef> = {}): ExecRef => ({
    kind: 'Deployment',
    namespace: namespace.name,
    name: app,
    ...wishes,
  });
  const run = (
    command: readonly string[],
    wishes: Partial<ExecRef> = {},
    timeoutMs = patient,
    container = 'app' as string | null,
  ) => runCommand(cluster, { of: of(wishes), container, command, timeoutMs });

  test('is not run without the right to, which is no role of a release', async () => {
    await namespace.allow(...rights);
    await expect(run(['true'])).rejects.toMatchObject({ type: 'RIGHTS_MISSING' });
  });

  describe('under the role for commands', () => {
    beforeAll(() => namespace.allow(...commandRights));

    test.each([
      ['that ends with 0', ['true'], null],
      ['that ends with 3', ['sh', '-c', 'exit 3'], 'exit code 3'],
      ['that says much and ends with 0', ['sh', '-c', 'seq 1 20000; echo secret >&2'], null],
      ['that says a secret and ends with 7', ['sh', '-c', 'echo secret; echo secret >&2; exit 7'], 'exit code 7'],
      ['that is not there', ['no-such-program-secret'], 'it could not be run'],
      [
        'with blanks, quotes and an ampersand in its words',
        ['sh', '-c', 'test "$1" = "a & b=\'c\'"', 'x', "a & b='c'"],
        null,
      ],
    ])('one %s', async (_, command, fault) => {
      expect(await run(command)).toBe(fault);
    });

    test('one runs in the pod that is named, and in the only container where none is', async () => {
      const [pod = ''] = pods;
      const isIt = ['sh', '-c', `test "$POD_NAME" = ${pod}`];
      expect(await run(isIt, { kind: 'Pod', name: pod })).toBeNull();
      expect(await run(isIt, {}, patient, null)).toBeNull();
      expect(await run(['true'], {}, patient, 'another')).toBe('the cluster answers 400');
      expect(await run(['true'], { kind: 'Pod', name: 'nobody' })).toBe('the cluster answers 404');
      expect(await run(['true'], { name: 'nobody' })).toBe(`no pod of Deployment ${namespace.name}/nobody is ready`);
    });

    test('one of a workload runs in its youngest ready pod', async () => {
      // the API server counts birth in whole seconds
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      const body = { spec: { replicas: 2 } };
      await apis.apps.patchNamespacedDeployment({ namespace: namespace.name, name: app, body }, merge);
      const young = (await readyPods(2)).find((name) => !pods.includes(name)) ?? '';
      expect(await run(['sh', '-c', `test "$POD_NAME" = ${young}`])).toBeNull();
    }, 30_000);

    test('one that does not end in its time is given up, and its node hears of it', async () => {
      const mark = join(folder, 'pid');
      const sleeps = ['sh', '-c', `echo $$ > ${mark}; exec sleep 60`];
      expect(await run(sleeps, {}, 2_000)).toBe('it has not ended in 2000 ms');
      const pid = Number(await readFile(mark, 'utf8'));
      // the tests' node ends a command whose connection is over; a real one need not
      await until('the end of the command', async () => (isAlive(pid) ? null : true), 5_000);
    }, 10_000);

    test('is a probe like any other', async () => {
      const probe: Probe = {
        by: 'exec',
        target: 'guest',
        of: of(),
        container: null,
        command: ['false'],
        timeoutMs: patient,
      };
      const asked: string[] = [];
      const at = (name: string): Cluster => {
        asked.push(name);
        return cluster;
      };
      expect(await probeSide(probe, at)).toBe('exit code 1');
      expect(asked).toEqual(['guest']);
    });
  });

  test('of a cluster that is away has no connection', async () => {
    const away = { ...namespace.admin, url: `https://127.0.0.1:${await freePort()}` };
    const gone = await clusterOf('away', kubeconfig(away));
    const command = { of: of({ kind: 'Pod' }), container: null, command: ['true'], timeoutMs: patient };
    expect(await runCommand(gone, command)).toBe('no connection');
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
