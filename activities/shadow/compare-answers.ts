import type { Comparison, Tolerance } from '../../contracts/shadow.ts';
import { isAt, isBelow, readPattern, shown, type Place } from './pointers.ts';
import { readJson, type JsonValue } from './read-json.ts';

/** What a side has answered. */
export interface Answer {
  readonly status: number;
  /** Type and subtype, in lower case; empty: it says none. */
  readonly contentType: string;
  readonly body: Buffer;
}

/** The rules of a comparison, read once. */
export interface Rules {
  readonly ignore: readonly Place[];
  readonly maps: readonly Place[];
  readonly tolerance: readonly (Omit<Tolerance, 'at'> & { readonly at: Place })[];
}

/** Reads the patterns of a plan. */
export const rulesOf = ({ ignore, tolerance, maps }: Comparison): Rules => ({
  ignore: ignore.map(readPattern),
  maps: maps.map(readPattern),
  tolerance: tolerance.map((one) => ({ ...one, at: readPattern(one.at) })),
});

/** In what two answers differ, by places that may be shown; never a value. Empty: they agree. */
export function compareAnswers(one: Answer, other: Answer, rules: Rules): readonly string[] {
  if (one.status !== other.status) return ['status'];
  if (one.contentType !== other.contentType) return ['content-type'];
  return isJson(one.contentType) ? ofJson(one.body, other.body, rules) : ofBytes(one.body, other.body);
}

const isJson = (contentType: string): boolean => /^application\/(?:.+\+)?json$/.test(contentType);

const ofBytes = (one: Buffer, other: Buffer): readonly string[] => (one.equals(other) ? [] : ['body']);

function ofJson(one: Buffer, other: Buffer, rules: Rules): readonly string[] {
  const [first, second] = [readJson(one), readJson(other)];
  // what says that it is JSON and is none can still be the same
  if (first === null || second === null) return ofBytes(one, other);
  const places = new Set<string>();
  try {
    compare(first.value, second.value, [], rules, places);
  } catch {
    // nested so deeply that nobody can walk through it
    return ofBytes(one, other);
  }
  return [...places];
}

function compare(one: JsonValue, other: JsonValue, place: Place, rules: Rules, places: Set<string>): void {
  if (rules.ignore.some((pattern) => isBelow(place, pattern))) return;
  if (isList(one) && isList(other)) compareLists(one, other, place, rules, places);
  else if (isObject(one) && isObject(other)) compareObjects(one, other, place, rules, places);
  else if (!isSame(one, other, place, rules)) places.add(shown(place) || 'body');
}

function compareLists(
  one: readonly JsonValue[],
  other: readonly JsonValue[],
  place: Place,
  rules: Rules,
  places: Set<string>,
): void {
  // another number of items is a difference of the list itself
  if (one.length !== other.length) places.add(shown(place) || 'body');
  else for (const [index, item] of one.entries()) compare(item, other[index], [...place, null], rules, places);
}

type Members = Extract<JsonValue, ReadonlyMap<string, unknown>>;

function compareObjects(one: Members, other: Members, place: Place, rules: Rules, places: Set<string>): void {
  const hidden = rules.maps.some((pattern) => isAt(place, pattern));
  for (const key of new Set([...one.keys(), ...other.keys()])) {
    const at = [...place, hidden ? null : key];
    // a member that is not there differs from one that is null
    compare(one.get(key), other.get(key), at, rules, places);
  }
}

const isList = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value);
const isObject = (value: JsonValue): value is Members => value instanceof Map;

function isSame(one: JsonValue, other: JsonValue, place: Place, { tolerance }: Rules): boolean {
  if (one === other) return true;
  if (!isNumber(one) || !isNumber(other)) return false;
  const by = tolerance.find(({ at }) => isAt(place, at));
  if (by === undefined) return false;
  const apart = Math.abs(Number(one) - Number(other));
  const within = by.absolute !== null && apart <= by.absolute;
  return (
    within || (by.relative !== null && apart <= by.relative * Math.max(Math.abs(Number(one)), Math.abs(Number(other))))
  );
}

const isNumber = (value: JsonValue): value is number | bigint => typeof value === 'number' || typeof value === 'bigint';
