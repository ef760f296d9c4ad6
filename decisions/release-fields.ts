import { integer, list, text, type Rule } from './check-fields.ts';
import { parseDuration } from './duration.ts';
import { parseFail, parsePercent } from './releases/gates.ts';
import { duration as upToAYear, wordForms } from './spec-words.ts';

/** What texts of a release look like; the JSON Schema of the spec says the same. */
export const releaseForms = {
  filled: /\S/,
  /** No user and no password in it: a spec holds no secret. */
  address: /^https?:\/\/[^\s/?#@]+(?:[/?#]\S*)?$/,
  hostPort: /^[^\s/@]+:(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])$/,
  podShare: /^(?:100|[1-9]?\d)%$/,
  percent: /^(?:100(?:\.0{1,4})?|\d{1,2}(?:\.\d{1,4})?)\s*%$/,
  fail: /^[1-9]\d? of [1-9]\d?$/,
  /** The name of a header, RFC 9110. */
  header: /^[\w!#$%&'*+.^`|~-]{1,100}$/,
  /** RFC 6901, to a member. */
  jsonPointer: /^(?:\/(?:[^~/]|~[01])*)+$/,
  label: /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/,
  /** What stands in commands and files of a router. */
  server: /^[\w.:/-]{1,200}$/,
  object: /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/,
  host: /^[a-z0-9][a-z0-9.-]{0,250}(?:#[a-z0-9-]{1,63})?$/,
  /** Who asks Trino; it stands in a header. */
  trinoUser: /^[\w.@+-]{1,100}$/,
  /** The name or value of a header or a cookie by which requests are chosen. */
  match: /^[\w-]{1,100}$/,
  /** A registered model; neither / nor : , which addresses of models are divided by. */
  model: /^[\w.-](?:[\w .-]{0,198}[\w.-])?$/,
  /** MLflow keeps `latest` and `v1` for itself. */
  alias: /^(?!latest$|[vV]\d+$)[\w-]{1,200}$/,
  /** What a comparison is called. */
  compared: /^[\w.-]{1,40}$/,
} as const;

/** A text of one form; what it is instead stands in the problem. */
const formed = (form: RegExp, must: string): Rule => text((value) => (form.test(value) ? null : must));

/** The value beside what is wrong with it. Not for texts in which a secret may have ended up. */
const shown =
  (rule: Rule): Rule =>
  (value, pointer) =>
    rule(value, pointer).map((problem) => {
      const scalar = typeof value === 'number' || (typeof value === 'string' && value.length <= 80);
      return scalar && problem.pointer === pointer
        ? { ...problem, detail: `${problem.detail}: it is ${JSON.stringify(value)}` }
        : problem;
    });

/** A whole number within inclusive bounds. */
export const whole = (min: number, max: number): Rule => shown(integer(min, max));

/** A duration of up to a year, and not less than so many ms, nor more. */
export const time = (least = 0, most = Infinity): Rule =>
  shown((value, pointer) => {
    const problems = upToAYear(value, pointer);
    if (problems.length > 0 || typeof value !== 'string') return problems;
    const length = parseDuration(value) ?? 0;
    if (length < least) return [{ pointer, detail: `must be ${least / 1_000}s or longer` }];
    return length > most ? [{ pointer, detail: `must be ${most / 1_000}s or shorter` }] : [];
  });

/** What one second is, ms: less than that between two looks would be a load of its own. */
export const second = 1_000;

export const image = shown(
  formed(wordForms.image, 'must be the name of an image, without spaces, such as repo/app:1.2'),
);
export const workload = shown(formed(wordForms.workload, 'must be namespace/name'));
export const objectName = shown(
  formed(wordForms.container, 'must be the name of an object: at most 63 lower-case letters, digits and dashes'),
);
export const routeName = shown(formed(releaseForms.object, 'must be the name of an object in the cluster'));
export const metricsName = shown(formed(wordForms.target, 'must be the name of a metrics source'));
export const routerName = shown(formed(wordForms.target, 'must be the name of a router of the configuration'));
export const server = shown(formed(releaseForms.server, 'must be 1 to 200 letters, digits and . : / - _'));
export const host = shown(formed(releaseForms.host, 'must be a host, with #subset if it has one'));
export const label = shown(formed(releaseForms.label, 'must be the name of a label'));
export const header = shown(formed(releaseForms.header, 'must be the name of a header'));
export const jsonPointer = shown(formed(releaseForms.jsonPointer, 'must be a JSON pointer, such as /version'));
export const percent = shown(
  text((value) =>
    parsePercent(value) === null || !releaseForms.percent.test(value)
      ? 'must be a percentage from 0% to 100%, such as 0.5%'
      : null,
  ),
);
export const longest = shown(text((value) => (parseDuration(value) === null ? 'must be a time such as 300ms' : null)));
export const fail = shown(
  text((value) => (parseFail(value) === null ? 'must be so many of so many windows, such as 3 of 5' : null)),
);
export const model = shown(
  formed(releaseForms.model, 'must be the name of a registered model: 1 to 200 letters, digits and . - _ and spaces'),
);
export const alias = shown(
  formed(releaseForms.alias, 'must be an alias: 1 to 200 letters, digits, - and _, not latest and not v1'),
);
export const comparedName = shown(formed(releaseForms.compared, 'must be 1 to 40 letters, digits and . - _'));
export const filled = formed(releaseForms.filled, 'is empty');
export const match = formed(releaseForms.match, 'must be 1 to 100 letters, digits, dashes and underscores');
export const address = formed(
  releaseForms.address,
  'must begin with http:// or https://, and hold neither spaces nor a user or password',
);
export const hostPort = formed(releaseForms.hostPort, 'must be host:port, with a port from 1 to 65535');

export const trinoUser = shown(formed(releaseForms.trinoUser, 'must be 1 to 100 letters, digits and . _ @ + -'));

/** A statement, or one to ten of them. */
export const statements: Rule = (value, pointer) =>
  Array.isArray(value) ? list(filled, 1, 10)(value, pointer) : filled(value, pointer);

/** A number of pods, or a share of them. */
export const podCount: Rule = shown((value, pointer) =>
  typeof value === 'string' && releaseForms.podShare.test(value)
    ? []
    : integer(0, 1_000)(value, pointer).map((problem) => ({
        ...problem,
        detail: 'must be a whole number from 0 to 1000, or a percentage such as 25%',
      })),
);

/** The same of one pod or more. */
export const batchSize: Rule = shown((value, pointer) =>
  typeof value === 'string' && releaseForms.podShare.test(value) && value !== '0%'
    ? []
    : integer(1, 1_000)(value, pointer).map((problem) => ({
        ...problem,
        detail: 'must be a whole number from 1 to 1000, or a percentage such as 25%',
      })),
);

/** One image or more, by container. */
export const images: Rule = (value, pointer) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || Object.keys(value).length === 0)
    return [{ pointer, detail: 'must be an object of one image or more by the name of its container' }];
  return Object.entries(value).flatMap(([key, item]) =>
    wordForms.container.test(key)
      ? image(item, `${pointer}/${key}`)
      : [{ pointer, detail: `has a name that is not a container\u2019s: ${key.slice(0, 70)}` }],
  );
};

/** Either `false`, or what the rule wants. */
export const orFalse =
  (rule: Rule): Rule =>
  (value, pointer) =>
    value === false ? [] : rule(value, pointer);
