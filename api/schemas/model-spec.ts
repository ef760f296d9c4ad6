import { Type } from 'typebox';
import { releaseForms } from '../../decisions/release-fields.ts';
import { wordForms } from '../../decisions/spec-words.ts';
import { steered } from './canary-spec.ts';
import { onFailure } from './release-parts.ts';
import { routesOfRouters } from './route-spec.ts';
import { Notify, specName, strategy } from './spec-parts.ts';
import { closed, text, whole } from './words.ts';

const alias = (description: string, example: string) =>
  text(description, { pattern: releaseForms.alias.source, examples: [example] });

/** Another version of a registered model, for a growing share of the traffic. */
export const ModelSpecSchema = closed(
  {
    ...steered,
    name: specName('forecast-12'),
    strategy: strategy('model-canary', 'A growing share of the traffic for another version of a model'),
    target: text('Name of a registry in the configuration', {
      pattern: wordForms.target.source,
      examples: ['models'],
    }),
    model: text('Name of the registered model', { pattern: releaseForms.model.source, examples: ['sales_forecast'] }),
    candidate: closed(
      {
        version: whole('The version that is to come', { minimum: 1, maximum: 1_000_000_000 }),
        alias: alias('The alias that it gets as long as it is on trial', 'canary'),
      },
      'What is on trial',
    ),
    stable: closed(
      { alias: alias('The alias of the version in service; at the end it points to the candidate', 'champion') },
      'What is in service',
    ),
    route: Type.Union([...routesOfRouters], { description: 'What divides the traffic between two scoring servers' }),
    onFailure,
    notify: Notify,
  },
  'Another version of a registered model, for a growing share of the traffic',
);
