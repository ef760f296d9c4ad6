import type { ConfigProblem } from './config-error.ts';
import { channelRules } from './channel-rules.ts';
import type { Config, Section, TokenConfig } from './config.ts';
import { isLoopback } from './loopback.ts';

/** What the fields must be together. `known` are paths that have a problem already and are not judged again. */
export function checkRules(
  config: Config,
  known: ReadonlySet<string>,
  without: readonly Section[],
): readonly ConfigProblem[] {
  const problems = [
    ...addressRules(config, without),
    ...(without.includes('targets') ? [] : registryRules(config.targets)),
    ...(without.includes('metrics') ? [] : metricsRules(config.metrics)),
    ...(without.includes('notify') ? [] : channelRules(config.notify)),
    ...(without.includes('api') ? [] : apiRules(config.api)),
    ...(without.includes('approvals') ? [] : approvalRules(config.approvals, known)),
  ];
  return problems.filter(({ path }) => !known.has(path));
}

function addressRules({ targets, ledger }: Config, without: readonly Section[]): ConfigProblem[] {
  const addresses = [
    ['ledger.url', ledger.url] as const,
    ...(without.includes('targets')
      ? []
      : Object.entries(targets).flatMap(([name, target]) =>
          target.dialect === 'kubernetes' || target.dialect === 'mlflow'
            ? []
            : [[`targets.${name}.url`, target.url] as const],
        )),
  ];
  return addresses
    .filter(([, url]) => !/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url))
    .map(([path]) => ({ path, detail: 'must be an address of the form postgres://user@host:port/database' }));
}

/** A token is sent where it cannot be read on the way: over TLS, or to this machine. */
const isOpen = (url: string, token: string | null): boolean => {
  const { protocol, hostname } = new URL(url);
  return token !== null && protocol === 'http:' && !isLoopback(hostname);
};
const openToken = 'must begin with https:// where a token is sent';

const registryRules = (targets: Config['targets']): ConfigProblem[] =>
  Object.entries(targets).flatMap(([name, target]): ConfigProblem[] => {
    if (target.dialect !== 'mlflow') return [];
    const path = `targets.${name}.url`;
    if (!URL.canParse(target.url)) return [{ path, detail: 'is not an address' }];
    return isOpen(target.url, target.token) ? [{ path, detail: openToken }] : [];
  });

function metricsRules(metrics: Config['metrics']): ConfigProblem[] {
  return Object.entries(metrics).flatMap(([name, { url, overMs, token }]): ConfigProblem[] => {
    if (!URL.canParse(url)) return [{ path: `metrics.${name}.url`, detail: 'is not an address' }];
    return [
      ...(isOpen(url, token) ? [{ path: `metrics.${name}.url`, detail: openToken }] : []),
      ...(overMs < 1_000 || overMs > 600_000
        ? [{ path: `metrics.${name}.over`, detail: 'must be from 1s to 10m' }]
        : []),
    ];
  });
}

function apiRules({ host, open, tokens }: Config['api']): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (open && tokens.length > 0) problems.push({ path: 'api.open', detail: 'must not be true when there are tokens' });
  if (open && !isLoopback(host)) {
    problems.push({ path: 'api.host', detail: 'must be a loopback address as long as api.open is true' });
  }
  if (!open && tokens.length === 0) {
    problems.push({ path: 'api.tokens', detail: 'must hold a token, unless api.open is true' });
  }
  return [...problems, ...tokens.flatMap(tokenRules)];
}

function tokenRules({ name, token }: TokenConfig, index: number, all: readonly TokenConfig[]): ConfigProblem[] {
  const path = `api.tokens.${index}`;
  const before = all.slice(0, index);
  const problems: ConfigProblem[] = [];
  if (token.length < 16) problems.push({ path: `${path}.token`, detail: 'must be 16 characters or longer' });
  if (before.some((other) => other.name === name)) problems.push({ path: `${path}.name`, detail: 'is used twice' });
  if (before.some((other) => other.token === token)) {
    problems.push({ path: `${path}.token`, detail: 'is the same as that of another name' });
  }
  return problems;
}

const approvalRules = ({ key, trustTemporal }: Config['approvals'], known: ReadonlySet<string>): ConfigProblem[] => {
  if (known.has('approvals.key')) return [];
  if (key !== null && key.length < 32) {
    return [{ path: 'approvals.key', detail: 'must be 32 characters or longer' }];
  }
  return key === null && !trustTemporal
    ? [{ path: 'approvals.key', detail: 'is missing: no approval would count, unless approvals.trustTemporal is true' }]
    : [];
};
