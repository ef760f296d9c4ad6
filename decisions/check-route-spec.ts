import { routers, type RouterName } from '../contracts/catalog.ts';
import { object, oneOf, text, type Rule } from './check-fields.ts';
import { targetName } from './spec-words.ts';

const filled: Rule = text((value) => (value.trim() === '' ? 'is empty' : null));
/** What stands in commands and files of a router. */
const word: Rule = text((value) => (/^[\w.:/-]{1,200}$/.test(value) ? null : 'must be letters, digits and . : / - _'));
const objectName: Rule = text((value) =>
  /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/.test(value) ? null : 'must be the name of an object in the cluster',
);
const host: Rule = text((value) =>
  /^[a-z0-9][a-z0-9.-]{0,250}(#[a-z0-9-]{1,63})?$/.test(value) ? null : 'must be a host, with #subset if it has one',
);
const token: Rule = text((value) =>
  /^[\w-]{1,100}$/.test(value) ? null : 'must be letters, digits, dashes, underscores',
);

const match: Rule = (value, pointer) => {
  const by = typeof value === 'object' && value !== null && 'cookie' in value ? { cookie: token } : { header: token };
  return object({ ...by, value: token }, {})(value, pointer);
};

const via = oneOf(routers);
/** What a canary can be divided by; a Service's selector knows all or nothing. */
const rules: Readonly<Record<Exclude<RouterName, 'service'>, Rule>> = {
  'gateway-api': object({ via, name: objectName }, { match }),
  istio: object({ via, name: objectName }, { stable: host, candidate: host, match }),
  haproxy: object({ via, router: targetName, backend: word, stable: word, candidate: word }, {}),
  nginx: object({ via, router: targetName, stable: word, candidate: word }, {}),
  flag: object({ via, key: filled, flag: filled, stable: filled, candidate: filled }, {}),
};

/** The route of a canary. */
export const routeRule: Rule = (value, pointer) => {
  if (typeof value !== 'object' || value === null || !('via' in value)) return object({ via }, {})(value, pointer);
  const rule = new Map<unknown, Rule>(Object.entries(rules)).get(value.via);
  return rule === undefined ? oneOf(Object.keys(rules))(value.via, `${pointer}/via`) : rule(value, pointer);
};
