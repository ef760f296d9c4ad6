import { Type } from 'typebox';
import type { Strategy } from '../../contracts/catalog.ts';
import { wordForms } from '../../decisions/spec-words.ts';
import { text } from './words.ts';

/** A spec's name. */
export const specName = (example: string) =>
  text('Lower-case letters, digits and dashes; the deployment\u2019s id begins with it', {
    pattern: wordForms.name.source,
    examples: [example],
  });

/** The one strategy of a kind of spec. */
export const strategy = (name: Strategy, description: string) => Type.Enum([name], { description });

/** A group of people. */
export const Group = Type.String({
  pattern: wordForms.group.source,
  description: 'A member of this group',
  examples: ['dba'],
});
