import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterAccess } from '../kubernetes/kubeconfig.ts';
import { freePort } from '../ports.ts';
import { launch } from '../processes/launch.ts';
import { Restartable } from '../processes/restartable.ts';
import { untilReady } from '../processes/until-ready.ts';

/** What Traefik is to route. */
export interface TraefikOptions {
  /** Where it finds its routes, and as whom. */
  readonly cluster: ClusterAccess;
  /** The only namespaces that it looks at. */
  readonly namespaces: readonly [string, ...string[]];
  /** `name=value`: of the GatewayClasses it takes those with this label. */
  readonly gatewayClassLabel: string;
  /** Where it listens on loopback; a listener of a Gateway has to name the same. */
  readonly port: number;
  /** How long it waits for more changes before it follows them, ms; by default less than its own default of 2 s, which would make tests wait. */
  readonly throttleMs?: number;
  /** See `launch`. */
  readonly recordIn?: string;
}

/** A Traefik that runs and belongs to us. */
export interface RunningTraefik {
  /** `http://host:port`. */
  readonly url: string;
  readonly program: Restartable;
  readonly stop: () => Promise<void>;
}

/** Starts Traefik as a controller of the Gateway API. It is ready when it runs; whether a route has arrived shows only in an answer. */
export async function startTraefik(binary: string, options: TraefikOptions): Promise<RunningTraefik> {
  const folder = await mkdtemp(join(tmpdir(), 'lakeshift-traefik-'));
  const drop = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const pingPort = await freePort();
    const args = [...flags(options, pingPort), ...(await clusterFlags(options, folder))];
    const logFile = join(folder, 'log');
    const { recordIn } = options;
    const server = await Restartable.of(async () => {
      const child = await launch({ what: 'Traefik', command: binary, args, cwd: folder, logFile, recordIn });
      await untilReady(child, 'Traefik', () => says200(`http://127.0.0.1:${pingPort}/ping`));
      return child;
    });
    const stop = async (): Promise<void> => {
      await server.down();
      await drop();
    };
    return { url: `http://127.0.0.1:${options.port}`, program: server, stop };
  } catch (error) {
    await drop();
    throw error;
  }
}

const flags = ({ port, throttleMs = 100 }: TraefikOptions, pingPort: number): string[] => [
  `--entrypoints.web.address=127.0.0.1:${port}`,
  `--entrypoints.traefik.address=127.0.0.1:${pingPort}`,
  '--ping=true',
  `--providers.providersthrottleduration=${throttleMs}ms`,
  '--global.checknewversion=false',
  '--global.sendanonymoususage=false',
  '--log.level=WARN',
];

async function clusterFlags(
  { cluster, namespaces, gatewayClassLabel }: TraefikOptions,
  folder: string,
): Promise<string[]> {
  const [ca, token] = [join(folder, 'ca.crt'), join(folder, 'token')];
  await writeFile(ca, cluster.ca);
  // in a file: everybody can read what a process was started with
  await writeFile(token, cluster.token, { mode: 0o600 });
  const values = {
    endpoint: cluster.url,
    certauthfilepath: ca,
    token,
    namespaces: namespaces.join(','),
    labelselector: gatewayClassLabel,
  };
  return Object.entries(values).map(([name, value]) => `--providers.kubernetesgateway.${name}=${value}`);
}

function says200(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = get(url, { agent: false, timeout: 2_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => {
      resolve(false);
    });
  });
}
