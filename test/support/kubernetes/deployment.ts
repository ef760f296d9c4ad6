import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { V1Deployment, V1Lifecycle, V1Pod, V1PodSpec, V1Service } from '@kubernetes/client-node';

/** What may be different about a deployment of a test. */
export interface Wishes {
  /** Default: `app:v1`. */
  readonly image?: string;
  /** Default: 3. */
  readonly replicas?: number;
  /** See `behaviour.ts`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Of the container. */
  readonly lifecycle?: V1Lifecycle;
  /** Name of the container; default: `app`. */
  readonly container?: string;
  readonly pod?: Partial<V1PodSpec>;
  readonly spec?: Partial<V1Deployment['spec']>;
}

const port = 8080;

/** A deployment whose pods have the label `app` and end a second after they are asked to. */
export function deploymentOf(name: string, { image = 'app:v1', replicas = 3, ...wishes }: Wishes = {}): V1Deployment {
  const env = Object.entries(wishes.env ?? {}).map(([variable, value]) => ({ name: variable, value }));
  const { container = 'app', lifecycle } = wishes;
  const ports = [{ containerPort: port }];
  const containers = [{ name: container, image, env, ports, ...(lifecycle === undefined ? {} : { lifecycle }) }];
  const spec = { terminationGracePeriodSeconds: 1, containers, ...wishes.pod };
  return {
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec },
      ...wishes.spec,
    },
  };
}

/** A service in front of the pods with that label `app`. */
export const serviceOf = (name: string): V1Service => ({
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ port }] },
});

/** What the application of a pod says; null: it refused, or cut the connection. */
export interface Answer {
  readonly status: number;
  readonly version: string;
  readonly pod: string;
}

/** Asks a pod at its own address, on a connection of its own. */
export function askPod(address: string): Promise<Answer | null> {
  return new Promise((resolve) => {
    const asked = request({ host: address, port, agent: false }, (response) => {
      text(response).then(
        // test/support/kubernetes/application.ts writes it
        (body) => resolve({ status: response.statusCode ?? 0, ...(JSON.parse(body) as Omit<Answer, 'status'>) }),
        () => resolve(null),
      );
    });
    asked.on('error', () => resolve(null));
    asked.end();
  });
}

/** Whether a condition of a pod or a deployment holds. */
export const holds = ({ status }: V1Pod | V1Deployment, type: string, wanted: 'True' | 'False' = 'True'): boolean =>
  (status?.conditions ?? []).some((condition) => condition.type === type && condition.status === wanted);
