import type { ConfigProblem } from './config-error.ts';
import { isReference, withoutReferences } from './references.ts';
import type { ChannelFile, ConfigFile, TargetFile } from './shape.ts';

/** Names every secret that stands in the file itself instead of behind a reference. Never says what it is. */
export function checkSecrets({ targets, metrics, notify, ledger, api, approvals }: ConfigFile): ConfigProblem[] {
  return [
    ...Object.entries(targets ?? {}).flatMap(([name, target]) => targetProblems(`targets.${name}`, target)),
    ...Object.entries(metrics ?? {}).flatMap(([name, { url, token }]) => [
      ...addressProblems(`metrics.${name}.url`, url),
      ...(token === undefined ? [] : secretProblems(`metrics.${name}.token`, token)),
    ]),
    ...Object.entries(notify ?? {}).flatMap(([name, channel]) => channelProblems(`notify.${name}`, channel)),
    ...addressProblems('ledger.url', ledger.url),
    ...(api?.tokens ?? []).flatMap(({ token }, index) => secretProblems(`api.tokens.${index}.token`, token)),
    ...(approvals?.key === undefined ? [] : secretProblems('approvals.key', approvals.key)),
  ];
}

const targetProblems = (path: string, target: TargetFile): ConfigProblem[] => [
  ...('url' in target ? addressProblems(`${path}.url`, target.url) : []),
  ...('token' in target ? secretProblems(`${path}.token`, target.token) : []),
];

/** Slack's address is all that it takes to write there: it is a secret as a whole. */
const channelProblems = (path: string, channel: ChannelFile): ConfigProblem[] =>
  channel.kind === 'slack'
    ? secretProblems(`${path}.url`, channel.url)
    : [...addressProblems(`${path}.url`, channel.url), ...secretProblems(`${path}.secret`, channel.secret)];

const secretProblems = (path: string, value: string): ConfigProblem[] =>
  isReference(value) ? [] : [{ path, detail: 'is a secret: write ${env:NAME} or ${file:path}, not the value' }];

/** An address may be written out, its password may not: neither before the `@` nor as a parameter. */
function addressProblems(path: string, url: string): ConfigProblem[] {
  const literal = withoutReferences(url);
  const inUser = /^[a-z]+:\/\/[^/@]*:[^/@]+@/i.test(literal);
  const inQuery = /[?&](ssl)?password=[^&]/i.test(literal);
  return inUser || inQuery
    ? [{ path, detail: 'holds a password: write ${env:NAME} or ${file:path} in its place' }]
    : [];
}
