import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { checkSpec } from '../../decisions/check-spec.ts';
import { planOfModel } from '../support/model-plans.ts';
import { releasePlan } from '../support/cluster-facts.ts';

const folder = new URL('../../examples/', import.meta.url);
const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));

describe('the examples', () => {
  it('are numbered without a gap', () => {
    expect(files.map((file) => Number(file.slice(0, 2)))).toEqual(files.map((_file, index) => index + 1));
  });

  it.each(files)('%s is a well-formed spec', (file) => {
    expect(checkSpec(parse(readFileSync(new URL(file, folder), 'utf8')))).toMatchObject({ ok: true });
  });

  it.each(files)('%s has a plan, if it is a release', (file) => {
    const check = checkSpec(parse(readFileSync(new URL(file, folder), 'utf8')));
    if (!check.ok || check.spec.strategy === 'expand-contract' || check.spec.strategy === 'release') return;
    const { spec } = check;
    const { stages, name } = spec.strategy === 'model-canary' ? planOfModel(spec) : releasePlan(spec);
    expect([name, stages.length > 0]).toEqual([check.spec.name, true]);
  });

  it.each(files)('%s says in its first line what it is for, and the README repeats it', (file) => {
    const [first = ''] = readFileSync(new URL(file, folder), 'utf8').split('\n');
    expect(first).toMatch(/^# [A-Z].*\.$/);
    expect(readFileSync(new URL('README.md', folder), 'utf8').replace(/ +/g, ' ')).toContain(
      `| [${file}](${file}) | ${first.slice(2)} |`,
    );
  });
});
