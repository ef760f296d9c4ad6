import { getHaproxy } from '../../../tools/haproxy/get.ts';
import { getNginx } from '../../../tools/nginx/get.ts';
import { whyNoTraefik } from './traefik.ts';

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const lackingOf = (found: Promise<unknown>): Promise<string> => found.then(() => '', reason);

/** Every data plane, and why it can't be had here; empty: it can. */
export const planes = [
  { name: 'traefik', lacking: await whyNoTraefik() },
  { name: 'haproxy', lacking: await lackingOf(getHaproxy()) },
  { name: 'nginx', lacking: await lackingOf(getNginx()) },
] as const;
export type PlaneName = (typeof planes)[number]['name'];

/** The first test that asks for Traefik waits while it is built, ms. */
export const firstStartMs = 20 * 60_000;
