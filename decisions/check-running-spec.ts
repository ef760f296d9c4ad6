import { object, oneOf, type Rule } from './check-fields.ts';
import { address, objectName, routeName, time, trinoUser } from './release-fields.ts';

const ways = {
  finishOn: {
    required: { finishOn: oneOf(['old']), route: routeName, address },
    optional: { services: object({ blue: objectName, green: objectName }, {}) },
  },
  wait: { required: { wait: oneOf(['idle']) }, optional: {} },
  accept: { required: { accept: oneOf(['failed-queries']) }, optional: {} },
} as const;

/** What becomes of running queries: one way, and its fields. */
export const running: Rule = (value, pointer) => {
  const given = Object.keys(ways).filter((way) => typeof value === 'object' && value !== null && way in value);
  const way = Object.entries(ways).find(([name]) => name === given[0])?.[1];
  if (way === undefined) return [{ pointer, detail: 'must have one of finishOn, wait and accept' }];
  return object(
    { engine: oneOf(['trino']), coordinators: object({ blue: address, green: address }, {}), ...way.required },
    { user: trinoUser, timeout: time(), ...way.optional },
  )(value, pointer);
};
