import { Type } from 'typebox';
import type { RouterName } from '../../contracts/catalog.ts';
import { releaseForms } from '../../decisions/release-fields.ts';
import { wordForms } from '../../decisions/spec-words.ts';
import { filled } from './release-parts.ts';
import { closed, text } from './words.ts';

const via = (name: RouterName, description: string) => Type.Enum([name], { description });

const word = (description: string, example: string) =>
  text(description, { pattern: releaseForms.match.source, examples: [example] });
const match = Type.Optional(
  Type.Union(
    [
      closed({ header: word('Name of a header', 'x-canary'), value: word('Its value', 'always') }, 'By a header'),
      closed({ cookie: word('Name of a cookie', 'canary'), value: word('Its value', 'always') }, 'By a cookie'),
    ],
    { description: 'Requests that go to the candidate as soon as it has any share' },
  ),
);

const objectName = (description: string) =>
  text(description, { pattern: releaseForms.object.source, examples: ['checkout'] });
const host = (side: string) =>
  Type.Optional(
    text(`A host of the ${side}, host#subset where it has one; default its Service`, {
      pattern: releaseForms.host.source,
      examples: ['checkout#v2'],
    }),
  );
const router = text('Name of a router in the configuration', {
  pattern: wordForms.target.source,
  examples: ['edge-haproxy'],
});
const server = (description: string, example: string) =>
  text(description, { pattern: releaseForms.server.source, examples: [example] });

/** What divides the requests between two servers of a router of the configuration. */
export const routesOfRouters = [
  closed(
    {
      via: via('haproxy', 'Weights of two servers, by the runtime API'),
      router,
      backend: server('Name of the backend', 'checkout'),
      stable: server('Name of the server of the stable side', 'stable'),
      candidate: server('Name of the server of the candidate', 'candidate'),
    },
    'Two servers of a backend of HAProxy',
  ),
  closed(
    {
      via: via('nginx', 'Weights of two servers, in a file that NGINX includes'),
      router,
      stable: server('Address of the stable side, as it stands in the file', 'checkout:8080'),
      candidate: server('Address of the candidate, as it stands in the file', 'checkout-candidate:8080'),
    },
    'Two servers of an upstream of NGINX',
  ),
] as const;

/** What divides the requests between two Services or two servers. */
export const routesOfPods = [
  closed(
    { via: via('gateway-api', 'Weights of an HTTPRoute'), name: objectName('Name of the HTTPRoute'), match },
    'An HTTPRoute of the Gateway API',
  ),
  closed(
    {
      via: via('istio', 'Weights of a VirtualService'),
      name: objectName('Name of the VirtualService'),
      stable: host('stable side'),
      candidate: host('candidate'),
      match,
    },
    'A VirtualService of Istio',
  ),
  ...routesOfRouters,
] as const;

/** What divides users by a flag. */
export const flagRoute = closed(
  {
    via: via('flag', 'Shares of a flag of flagd in a ConfigMap'),
    key: filled('The key of the flag file in the ConfigMap', 'flags.json'),
    flag: filled('The flag', 'new-checkout'),
    stable: filled('The variant that is in service', 'off'),
    candidate: filled('The variant that is to come', 'on'),
  },
  'A flag',
);
