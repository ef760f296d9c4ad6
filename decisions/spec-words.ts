import { list, text, type Rule } from './check-fields.ts';
import { parseDuration } from './duration.ts';

/** What names look like; the JSON Schema of the spec says the same. */
export const wordForms = {
  name: /^[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?$/,
  target: /^[\w.-]{1,60}$/,
  group: /^[\w.@-]{1,60}$/,
  workload: /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\/[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/,
  container: /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
  image: /^[\w.@:/-]{1,255}$/,
} as const;

/** The name of a deployment. */
export const specName: Rule = text((value) =>
  wordForms.name.test(value)
    ? null
    : 'must be 1 to 50 lower-case letters, digits and dashes, neither first nor last a dash',
);

/** A duration of up to a year. */
export const duration: Rule = text((value) => {
  const ms = parseDuration(value);
  if (ms === null) return 'is not a duration; write 90s, 12h, 7d or P7D';
  return ms > maxGraceMs ? 'is longer than a year' : null;
});
const maxGraceMs = 366 * 86_400_000;
/** True or false. */
export const yesNo: Rule = (value, pointer) =>
  typeof value === 'boolean' ? [] : [{ pointer, detail: 'must be true or false' }];
/** Who has to allow something. */
export const approver: Rule = (value, pointer) => {
  if (typeof value === 'boolean') return [];
  return text((group) => (wordForms.group.test(group) ? null : 'must be true, false or the name of a group'))(
    value,
    pointer,
  );
};

/** The name of a target of the configuration. */
export const targetName: Rule = text((value) => (wordForms.target.test(value) ? null : 'must be the name of a target'));

const channel: Rule = text((value) => (wordForms.target.test(value) ? null : 'must be the name of a channel'));
/** A channel, or a list of them; an empty one tells nobody. */
export const notify: Rule = (value, pointer) =>
  Array.isArray(value) ? list(channel, 0, 20)(value, pointer) : channel(value, pointer);
