import type { ConfigProblem } from './config-error.ts';
import type { ChannelConfig, Config } from './config.ts';
import { isLoopback } from './loopback.ts';

/** What a channel's address and secret must be. Says nothing of what they are. */
export const channelRules = (channels: Config['notify']): ConfigProblem[] =>
  Object.entries(channels).flatMap(([name, channel]) => [
    ...urlProblems(`notify.${name}.url`, channel),
    ...secretProblems(`notify.${name}.secret`, channel),
  ]);

/** Messages are nobody else's to read: they go over TLS, or stay on this machine. */
function urlProblems(path: string, { url }: ChannelConfig): ConfigProblem[] {
  if (!URL.canParse(url)) return [{ path, detail: 'is not an address' }];
  const { protocol, hostname, username, password } = new URL(url);
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback(hostname)))
    return [{ path, detail: 'must begin with https://, or with http:// on a loopback address' }];
  return username === '' && password === ''
    ? []
    : [{ path, detail: 'must not hold a user or a password: messages are signed instead' }];
}

/** As the libraries of Standard Webhooks read it. */
function secretProblems(path: string, { kind, secret }: ChannelConfig): ConfigProblem[] {
  if (kind === 'slack') return [];
  const [, encoded] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret ?? '') ?? [];
  const bytes = encoded === undefined ? 0 : Buffer.from(encoded, 'base64').length;
  return bytes >= 24 && bytes <= 64
    ? []
    : [{ path, detail: 'must be whsec_ and the base64 of 24 to 64 bytes, such as of openssl rand -base64 32' }];
}
