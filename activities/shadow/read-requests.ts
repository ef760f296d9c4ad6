import type { V1ConfigMap } from '@kubernetes/client-node';
import type { ShadowRequest, ShadowSource } from '../../contracts/shadow.ts';
import { failure } from '../failures.ts';
import type { Cluster } from '../kubernetes/cluster.ts';
import { readObject } from '../kubernetes/objects.ts';

const safeMethods = ['GET', 'HEAD', 'OPTIONS'];

/** The requests of a shadow, one or more. What is wrong with a ConfigMap is said without what stands in it. */
export async function readRequests(
  cluster: () => Cluster,
  source: ShadowSource,
  harmless: boolean,
): Promise<readonly ShadowRequest[]> {
  if (source.by === 'list') return source.requests;
  const { namespace, name, key } = source;
  const found = await readObject<V1ConfigMap>(cluster(), { kind: 'ConfigMap', namespace, name });
  const called = `ConfigMap ${namespace}/${name}`;
  if (found === null) throw failure('TARGET_DRIFTED', `${called} is not there`);
  const requests = listIn(found.data?.[key] ?? '');
  if (requests.length === 0) throw failure('TARGET_DRIFTED', `${called} has no list of requests at ${key}`);
  const wrong = requests.findIndex((request) => !isRequest(request, harmless));
  if (wrong >= 0)
    throw failure('TARGET_DRIFTED', `${called}: item ${wrong} of ${key} is no request that may be asked again`);
  // each was looked at just now
  return requests as readonly ShadowRequest[];
}

function listIn(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

function isRequest(value: unknown, harmless: boolean): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { method, path, headers, body } = value as Readonly<Record<string, unknown>>; // an object has fields, or none
  return isMethod(method, harmless) && isPath(path) && isHeaders(headers) && isBody(body, method);
}

const isMethod = (method: unknown, harmless: boolean): boolean =>
  typeof method === 'string' && /^[A-Z]{3,10}$/.test(method) && (harmless || safeMethods.includes(method));

const isPath = (path: unknown): boolean => typeof path === 'string' && /^\/\S*$/.test(path);

const isHeaders = (headers: unknown): boolean =>
  headers === undefined ||
  (typeof headers === 'object' && headers !== null && Object.values(headers).every((one) => typeof one === 'string'));

const isBody = (body: unknown, method: unknown): boolean =>
  body === undefined || (typeof body === 'string' && method !== 'GET' && method !== 'HEAD');
