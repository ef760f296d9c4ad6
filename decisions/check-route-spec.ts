import { routers, type RouterName } from '../contracts/catalog.ts';
import { object, oneOf, type Rule } from './check-fields.ts';
import { filled, host, match as word, routeName, routerName, server } from './release-fields.ts';

const match: Rule = (value, pointer) => {
  const by = typeof value === 'object' && value !== null && 'cookie' in value ? { cookie: word } : { header: word };
  return object({ ...by, value: word }, {})(value, pointer);
};

const via = oneOf(routers);
/** What a canary can be divided by; a Service's selector knows all or nothing. */
const rules: Readonly<Record<Exclude<RouterName, 'service'>, Rule>> = {
  'gateway-api': object({ via, name: routeName }, { match }),
  istio: object({ via, name: routeName }, { stable: host, candidate: host, match }),
  haproxy: object({ via, router: routerName, backend: server, stable: server, candidate: server }, {}),
  nginx: object({ via, router: routerName, stable: server, candidate: server }, {}),
  flag: object({ via, key: filled, flag: filled, stable: filled, candidate: filled }, {}),
};

/** What stands beside a misspelt name is not looked at. */
const ruleOf =
  (rules: Readonly<Record<string, Rule>>): Rule =>
  (value, pointer) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return object({ via }, {})(value, pointer);
    if (!('via' in value)) return [{ pointer: `${pointer}/via`, detail: 'is missing' }];
    const rule = new Map<unknown, Rule>(Object.entries(rules)).get(value.via);
    return rule === undefined ? oneOf(Object.keys(rules))(value.via, `${pointer}/via`) : rule(value, pointer);
  };

/** The route of a canary. */
export const routeRule: Rule = ruleOf(rules);

/** That of a model: its scoring servers belong to no cluster that we know. */
export const modelRouteRule: Rule = ruleOf({ haproxy: rules.haproxy, nginx: rules.nginx });
