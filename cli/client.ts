import { EventSourceParserStream } from 'eventsource-parser/stream';
import type {
  ApplyAnswer,
  DeploymentPage,
  DeploymentView,
  EjectView,
  GrantsView,
  Report,
  TargetView,
} from '../contracts/api.ts';
import type { OrderName } from '../contracts/catalog.ts';
import { eventKinds, type DeploymentEvent, type LiveProgress } from '../contracts/events.ts';
import type { Plan } from '../contracts/plan.ts';
import { type Access, type Ask, jsonOf, send } from './http.ts';

/** A spec as it is sent: as it was written, so that pointers and lines are those of its author. */
export interface SpecText {
  readonly type: 'application/json' | 'application/yaml';
  readonly text: string;
}

/** What a start carries beside its spec. */
export interface DeployTerms {
  /** The Idempotency-Key; null or absent: the spec's own. */
  readonly key?: string | null;
  /** Hash of the plan that was shown and shall be carried out; null or absent: one is made. */
  readonly planHash?: string | null;
}

/** Specs that shall be carried out, as far as they have not been. */
export interface ApplyAsk {
  readonly specs: readonly unknown[];
  readonly dryRun: boolean;
  readonly again: boolean;
}

/** What an order carries beside its name. */
export interface OrderBody {
  readonly stage: string;
  readonly reason: string;
  readonly planHash?: string;
  readonly evidenceHash?: string;
  readonly by?: string;
  readonly rowsPerSecond?: number | null;
}

/** How long to wait for an answer, and for what. */
export interface Wait {
  readonly seconds: number;
  /** `change`, `ended` or a phase. */
  readonly for: string;
  /** With `change`: the last event that is known already. */
  readonly after?: number;
}

/** One message of a deployment's stream. */
export type StreamItem =
  | { readonly type: 'event'; readonly event: DeploymentEvent }
  | { readonly type: 'progress'; readonly progress: LiveProgress };

/** The API as functions. Each throws ApiProblem or Unreachable. */
export interface Client {
  readonly address: string;
  readonly plan: (spec: SpecText) => Promise<Plan>;
  /** The same plan as a page of Markdown. */
  readonly planMarkdown: (spec: SpecText) => Promise<string>;
  readonly deploy: (spec: SpecText, terms?: DeployTerms) => Promise<DeploymentView>;
  readonly apply: (ask: ApplyAsk) => Promise<ApplyAnswer>;
  readonly list: (filters: Readonly<Record<string, readonly string[]>>) => Promise<DeploymentPage>;
  /** By id or name. */
  readonly show: (idOrName: string, wait?: Wait, signal?: AbortSignal) => Promise<DeploymentView>;
  /** The stream from after event `after` on, until the deployment or the connection ends. */
  readonly events: (id: string, after: number, signal?: AbortSignal) => AsyncGenerator<StreamItem>;
  readonly report: (idOrName: string) => Promise<Report>;
  readonly order: (id: string, order: OrderName, body: OrderBody) => Promise<DeploymentView>;
  readonly targets: () => Promise<readonly TargetView[]>;
  /** The statements that give our role its rights in a target. */
  readonly grants: (
    target: string,
    about: { readonly table: string | null; readonly role: string | null },
  ) => Promise<GrantsView>;
  /** A script for a half-done change. */
  readonly eject: (id: string, way: EjectView['way']) => Promise<EjectView>;
  /** What the service needs and whether it has it. */
  readonly ready: () => Promise<Readonly<Record<string, string>>>;
}

/** A client of the service at `access.address`. */
export function createClient(access: Access): Client {
  const get = async <T>(path: string, query = new URLSearchParams()): Promise<T> =>
    jsonOf<T>(await send(access, { path, query }));
  return {
    address: access.address,
    plan: async (body) =>
      (await jsonOf<{ plan: Plan }>(await send(access, { method: 'POST', path: '/v1/plans', body }))).plan,
    planMarkdown: async (body) =>
      (await send(access, { method: 'POST', path: '/v1/plans', body, headers: { accept: 'text/markdown' } })).text(),
    deploy: (body, terms = {}) => deploy(access, body, terms),
    apply: async (ask) => jsonOf(await send(access, applying(ask))),
    list: (filters) => get('/v1/deployments', listQuery(filters)),
    show: (idOrName, wait, signal) => show(access, idOrName, wait, signal),
    events: (id, after, signal) => events(access, id, after, signal),
    report: (idOrName) => get(`${deploymentPath(idOrName)}/report`),
    order: (id, name, body) => order(access, id, name, body),
    targets: async () => (await get<{ targets: TargetView[] }>('/v1/targets')).targets,
    grants: (target, about) => get(`/v1/targets/${encodeURIComponent(target)}/grants`, given(about)),
    eject: (id, way) => get(`${deploymentPath(id)}/eject`, new URLSearchParams({ way })),
    ready: async () => (await get<{ checks: Record<string, string> }>('/health/ready')).checks,
  };
}

/** How an order is called in addresses and on the command line. */
export const orderPath = (order: OrderName): string => order.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Query parameters without those that were not given. */
const given = (about: Readonly<Record<string, string | null>>): URLSearchParams =>
  new URLSearchParams(
    Object.entries(about).flatMap(([name, value]): [string, string][] => (value === null ? [] : [[name, value]])),
  );

const deploymentPath = (idOrName: string): string => `/v1/deployments/${encodeURIComponent(idOrName)}`;

/** A start waits for the workflow's word, which waits for the target. */
async function deploy(
  access: Access,
  body: SpecText,
  { key = null, planHash = null }: DeployTerms,
): Promise<DeploymentView> {
  const headers = {
    ...(key === null ? {} : { 'idempotency-key': key }),
    ...(planHash === null ? {} : { 'plan-hash': planHash }),
  };
  return jsonOf(await send(access, { method: 'POST', path: '/v1/deployments', body, headers, patience: 120_000 }));
}

/** Each spec is planned, and may be started, one after the other. */
const applying = (ask: ApplyAsk): Ask => ({
  method: 'POST',
  path: '/v1/apply',
  body: { type: 'application/json', text: JSON.stringify(ask) },
  patience: 120_000 + 10_000 * ask.specs.length,
});

async function show(access: Access, idOrName: string, wait?: Wait, signal?: AbortSignal): Promise<DeploymentView> {
  const path = deploymentPath(idOrName);
  if (wait === undefined) return jsonOf(await send(access, { path, signal }));
  const query = new URLSearchParams({ wait: `${wait.seconds}s`, for: wait.for });
  if (wait.after !== undefined) query.set('after', String(wait.after));
  return jsonOf(await send(access, { path, query, signal, patience: wait.seconds * 1_000 + 15_000 }));
}

async function order(access: Access, id: string, name: OrderName, body: OrderBody): Promise<DeploymentView> {
  const path = `${deploymentPath(id)}/${orderPath(name)}`;
  const json = { type: 'application/json', text: JSON.stringify(body) };
  return jsonOf(await send(access, { method: 'POST', path, body: json, patience: 60_000 }));
}

function listQuery(filters: Readonly<Record<string, readonly string[]>>): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, values] of Object.entries(filters)) for (const value of values) query.append(name, value);
  return query;
}

async function* events(access: Access, id: string, after: number, signal?: AbortSignal): AsyncGenerator<StreamItem> {
  const query = new URLSearchParams({ after: String(after) });
  const response = await send(access, { path: `${deploymentPath(id)}/events`, query, signal });
  if (response.body === null) return;
  const messages = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  for await (const { event, data } of messages) {
    if (event === 'progress')
      yield { type: 'progress', progress: JSON.parse(data) as LiveProgress }; // the contract of the stream
    else if (eventKinds.some((kind) => kind === event))
      yield { type: 'event', event: JSON.parse(data) as DeploymentEvent }; // the same
  }
}
