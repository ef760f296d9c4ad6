/** A name of the configuration that a spec uses, and where. */
export interface NameUsed {
  /** What it is a name of. */
  readonly of: 'metrics' | 'routers' | 'notify';
  readonly name: string;
  /** JSON pointer into the spec. */
  readonly pointer: string;
  /** The kind that a router has to be of. */
  readonly kind?: string;
}

/** Where a spec may name a metrics source; `*` stands for each item of a list. */
const metricsPaths = [
  '/protect',
  '/checks',
  '/steps/*/checks',
  '/watch/checks',
  '/seen',
  '/tables/*/protect',
  '/services/*/checks',
  '/services/*/steps/*/checks',
  '/services/*/seen',
] as const;

/**
 * Every name of the configuration besides the target's that a spec uses. It may be full of mistakes: an unknown name is
 * said together with them.
 */
export function namesUsed(body: unknown): readonly NameUsed[] {
  const sources = metricsPaths
    .flatMap((path) => at(body, path))
    .flatMap(({ value, pointer }) => nameIn('metrics', value, 'metrics', pointer));
  const routers = [...at(body, '/route'), ...at(body, '/services/*/route')].flatMap(({ value, pointer }) => {
    const kind = fieldOf(value, 'via');
    return nameIn('routers', value, 'router', pointer).map((used) =>
      typeof kind === 'string' ? { ...used, kind } : used,
    );
  });
  const channels = [...at(body, '/notify'), ...at(body, '/notify/*')].flatMap(({ value, pointer }): NameUsed[] =>
    typeof value === 'string' ? [{ of: 'notify', name: value, pointer }] : [],
  );
  return [...sources, ...routers, ...channels];
}

const nameIn = (of: NameUsed['of'], value: unknown, field: string, pointer: string): NameUsed[] => {
  const name = fieldOf(value, field);
  return typeof name === 'string' ? [{ of, name, pointer: `${pointer}/${field}` }] : [];
};

interface Place {
  readonly value: unknown;
  readonly pointer: string;
}

/** What stands at a path. */
const at = (body: unknown, path: string): readonly Place[] =>
  path
    .split('/')
    .slice(1)
    .reduce<readonly Place[]>(
      (places, part) => places.flatMap((place) => below(place, part)),
      [{ value: body, pointer: '' }],
    );

function below({ value, pointer }: Place, part: string): readonly Place[] {
  if (part !== '*') {
    const found = fieldOf(value, part);
    return found === undefined ? [] : [{ value: found, pointer: `${pointer}/${part}` }];
  }
  return Array.isArray(value)
    ? value.map((item: unknown, index) => ({ value: item, pointer: `${pointer}/${index}` }))
    : [];
}

const fieldOf = (value: unknown, field: string): unknown =>
  typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === field)?.[1] : undefined;
