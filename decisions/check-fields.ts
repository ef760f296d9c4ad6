import type { FieldProblem } from '../contracts/api.ts';
import { nearest } from './nearest.ts';

/** Says everything that is wrong with a value at a JSON pointer. */
export type Rule = (value: unknown, pointer: string) => readonly FieldProblem[];

/** Applies a rule to a whole document. */
export const checkFields = (value: unknown, pointer: string, rule: Rule): readonly FieldProblem[] =>
  rule(value, pointer);

/** A text; `fault` says what is wrong with it, or null. */
export const text =
  (fault: (value: string) => string | null): Rule =>
  (value, pointer) => {
    if (typeof value !== 'string') return [{ pointer, detail: `must be a text, not ${kindOf(value)}` }];
    const detail = fault(value);
    return detail === null ? [] : [{ pointer, detail }];
  };

/** A whole number within inclusive bounds. */
export const integer =
  (min: number, max: number): Rule =>
  (value, pointer) =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
      ? []
      : [{ pointer, detail: `must be a whole number from ${min} to ${max}` }];

/** One of a list of names; an unknown one is answered with the nearest. */
export const oneOf =
  (names: readonly string[]): Rule =>
  (value, pointer) => {
    if (typeof value === 'string' && names.includes(value)) return [];
    const near = typeof value === 'string' ? nearest(value, names) : null;
    return [problem(pointer, `must be one of ${names.join(', ')}`, near)];
  };

/** A list whose items all obey one rule. */
export const list =
  (rule: Rule, min: number, max: number): Rule =>
  (value, pointer) => {
    if (!Array.isArray(value)) return [{ pointer, detail: `must be a list, not ${kindOf(value)}` }];
    if (value.length < min || value.length > max) {
      return [{ pointer, detail: `must have ${min} to ${max} items, not ${value.length}` }];
    }
    return value.flatMap((item, index) => rule(item, `${pointer}/${index}`));
  };

/** An object with required and optional fields, and no others. */
export const object =
  (required: Readonly<Record<string, Rule>>, optional: Readonly<Record<string, Rule>>): Rule =>
  (value, pointer) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return [{ pointer, detail: `must be an object, not ${kindOf(value)}` }];
    }
    const rules = new Map(Object.entries({ ...required, ...optional }));
    const fields = new Map<string, unknown>(Object.entries(value));
    const missing = Object.keys(required).filter((field) => !fields.has(field));
    return [
      ...missing.map((field) => ({ pointer: `${pointer}/${field}`, detail: 'is missing' })),
      ...[...fields].flatMap(([field, item]) => {
        const at = `${pointer}/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`;
        const rule = rules.get(field);
        if (rule !== undefined) return rule(item, at);
        return [problem(at, 'is not a field of a spec here', nearest(field, [...rules.keys()]))];
      }),
    ];
  };

const problem = (pointer: string, detail: string, near: string | null): FieldProblem =>
  near === null ? { pointer, detail } : { pointer, detail, didYouMean: near };

const kindOf = (value: unknown): string => {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
};
