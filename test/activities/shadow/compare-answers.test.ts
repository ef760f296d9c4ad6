import { describe, expect, it, test } from '@jest/globals';
import fc from 'fast-check';
import { compareAnswers, rulesOf, type Answer } from '../../../activities/shadow/compare-answers.ts';
import type { Comparison } from '../../../contracts/shadow.ts';

const answer = (body: unknown, more: Partial<Answer> = {}): Answer => ({
  status: 200,
  contentType: 'application/json',
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  ...more,
});
const compared = (one: unknown, other: unknown, rules: Partial<Comparison> = {}): readonly string[] =>
  compareAnswers(answer(one), answer(other), rulesOf({ ignore: [], tolerance: [], maps: [], ...rules }));

describe('two answers', () => {
  test.each<[string, unknown, unknown, readonly string[]]>([
    ['that are the same', { a: 1, b: [1, { c: null }] }, { a: 1, b: [1, { c: null }] }, []],
    ['whose members stand in another order', { a: 1, b: 2 }, '{"b":2,"a":1}', []],
    ['that are written in another way', { a: 1.5 }, '{ "a" : 15e-1 }', []],
    ['with another value', { a: { b: 1 } }, { a: { b: 2 } }, ['/a/b']],
    ['with another type', { a: 1 }, { a: '1' }, ['/a']],
    ['with null instead of nothing', { a: null }, {}, ['/a']],
    ['with a member more', {}, { a: { b: 1 } }, ['/a']],
    ['with an object instead of a list', { a: [] }, { a: {} }, ['/a']],
    ['of lists in another order', { a: [1, 2] }, { a: [2, 1] }, ['/a/*']],
    ['of lists of another length', { a: [1] }, { a: [1, 2] }, ['/a']],
    ['that are other scalars', 1, 2, ['body']],
    ['with large numbers that differ in the last digit', '{"id":9007199254740993}', '{"id":9007199254740992}', ['/id']],
    [
      'that differ in several places',
      { a: 1, b: 2, c: [{ d: 1 }, { d: 2 }] },
      { a: 2, b: 3, c: [{ d: 3 }, { d: 4 }] },
      ['/a', '/b', '/c/*/d'],
    ],
    ['with a name of Object.prototype', '{"__proto__":{"a":1}}', '{"__proto__":{"a":2}}', ['/__proto__/a']],
    ['that say they are JSON and are none, and are the same', 'no', 'no', []],
    ['that say they are JSON and are none', 'no', 'yes', ['body']],
  ])('%s', (_, one, other, places) => {
    expect(compared(one, other)).toEqual(places);
    expect(compared(other, one)).toEqual(places);
  });

  it('differ in status, or else in their type, before anything else', () => {
    const rules = rulesOf({ ignore: [], tolerance: [], maps: [] });
    expect(compareAnswers(answer({}), answer({ a: 1 }, { status: 404 }), rules)).toEqual(['status']);
    expect(compareAnswers(answer({}), answer({ a: 1 }, { contentType: 'text/html' }), rules)).toEqual(['content-type']);
  });

  it('that are nested deeper than can be walked are compared byte by byte', () => {
    const deep = (middle: string) => `${'['.repeat(100_000)}${middle}${']'.repeat(100_000)}`;
    expect(compared(deep('1'), deep('1'))).toEqual([]);
    expect(compared(deep('1'), deep('2'))).toEqual(['body']);
  });

  it('that are no JSON are compared byte by byte', () => {
    const rules = rulesOf({ ignore: [], tolerance: [], maps: [] });
    const text = (body: string) => answer(body, { contentType: 'text/plain' });
    expect(compareAnswers(text('{"a":1}'), text('{"a": 1}'), rules)).toEqual(['body']);
    expect(compareAnswers(text('x'), text('x'), rules)).toEqual([]);
    const problem = (body: unknown) => answer(body, { contentType: 'application/problem+json' });
    expect(compareAnswers(problem({ a: 1, b: 2 }), problem({ b: 2, a: 1 }), rules)).toEqual([]);
  });
});

describe('what is left out', () => {
  const one = {
    id: 'x',
    items: [
      { at: 1, deep: { er: 1 } },
      { at: 2, deep: { er: 2 } },
    ],
  };
  const other = {
    id: 'y',
    items: [
      { at: 3, deep: { er: 4 } },
      { at: 2, deep: { er: 2 } },
    ],
  };
  test.each<[readonly string[], readonly string[]]>([
    [[], ['/id', '/items/*/at', '/items/*/deep/er']],
    [['/id'], ['/items/*/at', '/items/*/deep/er']],
    [['/id', '/items/*/at'], ['/items/*/deep/er']],
    [['/id', '/items/*/deep', '/*/*/at'], []],
    [['/id', '/items'], []],
    [['/item'], ['/id', '/items/*/at', '/items/*/deep/er']],
  ])('%j leaves %j', (ignore, places) => {
    expect(compared(one, other, { ignore })).toEqual(places);
  });
});

describe('numbers', () => {
  const tolerance = (absolute: number | null, relative: number | null, at = '/a') => ({
    tolerance: [{ at, absolute, relative }],
  });
  test.each<[number, number, number | null, number | null, boolean]>([
    [1, 1.01, 0.02, null, true],
    [1, 1.03, 0.02, null, false],
    [100, 101, null, 0.01, true],
    [100, 102, null, 0.01, false],
    [-100, -101, null, 0.01, true],
    [-1, 1, null, 0.5, false],
    [0, 0.001, 0.01, 0.0001, true],
    [1e6, 1e6 + 50, 1, 0.0001, true],
  ])('%d and %d, within %p or %p: %p', (a, b, absolute, relative, same) => {
    expect(compared({ a }, { a: b }, tolerance(absolute, relative))).toEqual(same ? [] : ['/a']);
  });

  it('may differ only where it is said', () => {
    expect(compared({ a: 1, b: 1 }, { a: 1.1, b: 1.1 }, tolerance(1, null))).toEqual(['/b']);
    expect(compared([1, 2], [1.1, 2.1], tolerance(1, null, '/*'))).toEqual([]);
    expect(compared({ a: '1' }, { a: '1.1' }, tolerance(1, null))).toEqual(['/a']);
  });
});

describe('what leaves it', () => {
  it('names no member that does not look like a name, and none of a map', () => {
    const people = (value: number) => ({
      'ann@example.com': value,
      '4711': value,
      '2024-01-01': value,
      card_4012888888881881: value,
      score_v2: value,
      p99Ms: value,
      'a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d': value,
      'two words': value,
    });
    expect(new Set(compared(people(1), people(2)))).toEqual(new Set(['/*', '/score_v2', '/p99Ms']));
    expect(compared({ by: { ann: { x: 1 } } }, { by: { ann: { x: 2 } } }, { maps: ['/by'] })).toEqual(['/by/*/x']);
  });

  it('is never a value', () => {
    const json = fc.jsonValue();
    fc.assert(
      fc.property(json, json, fc.string({ minLength: 12 }), (one, other, secret) => {
        const places = compared({ a: one, b: secret, c: [one] }, { a: other, b: `${secret}!`, c: [other] });
        expect(places).toContain('/b');
        for (const place of places) expect(place).toMatch(/^(?:\/(?:[A-Za-z_][\w-]*|\*))+$/);
      }),
    );
  });

  it('is nothing for what is the same', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => expect(compared({ value }, { value })).toEqual([])));
  });
});
