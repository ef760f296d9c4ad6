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

const Channel = Type.String({
  pattern: wordForms.target.source,
  description: 'Name of a channel in the configuration',
  examples: ['data-platform'],
});

/** Who is told of turning points; of every strategy. */
export const Notify = Type.Optional(
  Type.Union([Channel, Type.Array(Channel, { description: 'Several channels, or none', maxItems: 20 })], {
    description: 'Channels that are told of turning points; default: those that the configuration says',
  }),
);

/** A group of people. */
export const Group = Type.String({
  pattern: wordForms.group.source,
  description: 'A member of this group',
  examples: ['dba'],
});
