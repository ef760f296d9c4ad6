import { SpecSchema } from './spec.ts';

/**
 * The spec as a JSON Schema of its own, for editors and other tools: the very schema that the API shows. Draft 7,
 * because every editor knows it; what is used of it means the same in 2020-12. `contracts/spec.schema.json` is a copy.
 */
export const specJsonSchema: object = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  $id: 'urn:lakeshift:spec',
  title: 'Lakeshift spec',
  ...SpecSchema,
};

/** Where the API serves it. */
export const specJsonSchemaPath = '/schemas/spec.json';
