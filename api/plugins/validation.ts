import type { FastifyInstance, FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';
import type { FieldProblem } from '../../contracts/api.ts';
import { nearest } from '../../decisions/nearest.ts';
import { requestInvalid } from '../problems.ts';

/** What typebox says of one mistake. */
interface SchemaError {
  readonly keyword: string;
  readonly schemaPath: string;
  readonly instancePath: string;
  readonly params: object;
  readonly message: string;
}

const prefixes: Readonly<Record<string, string>> = {
  body: '',
  querystring: '/query',
  params: '/params',
  headers: '/headers',
};

/** Checks requests against their schemas and answers all problems of one part at once. Answers are not checked. */
export function useValidation(app: FastifyInstance): void {
  app.setValidatorCompiler(compile);
  // Schemas of answers are for people: cutting fields from an answer at run time would hide mistakes, not mend them.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
}

/** Makes the check of one part of a request. */
export const compile: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const check = Compile(schema);
  const prefix = prefixes[httpPart ?? 'body'] ?? '';
  return (given: unknown) => {
    // Only addresses and headers are text by nature; in a body "5" is not 5.
    const value = httpPart === 'body' ? given : Value.Convert(schema, given);
    if (check.Check(value)) return { value };
    return { error: requestInvalid(problemsOf(schema, check.Errors(value), value, prefix)) };
  };
};

/** One problem for each field; of alternatives only the summary, and unknown fields by their nearest name. */
function problemsOf(schema: TSchema, errors: readonly SchemaError[], value: unknown, prefix: string): FieldProblem[] {
  const found = new Map<string, FieldProblem>();
  for (const error of errors.toSorted((a, b) => weight(a) - weight(b))) {
    for (const problem of read(error, schema, value)) {
      const pointer = prefix + problem.pointer;
      if (!found.has(pointer)) found.set(pointer, { ...problem, pointer });
    }
  }
  return [...found.values()];
}

/** What names a field goes before what only says that a schema was not met. */
const weight = ({ keyword }: SchemaError): number =>
  ['additionalProperties', 'required', 'enum'].indexOf(keyword) >= 0 ? 0 : keyword === 'anyOf' ? 1 : 2;

function read(
  { keyword, instancePath, params, message }: SchemaError,
  schema: TSchema,
  value: unknown,
): FieldProblem[] {
  if (keyword === 'additionalProperties' && 'additionalProperties' in params) {
    const known = Object.keys(propertiesOf(schema));
    return textsOf(params.additionalProperties).map((name) =>
      unknownName(`${instancePath}/${name}`, 'is not a field here', name, known),
    );
  }
  if (keyword === 'required' && 'requiredProperties' in params) {
    return textsOf(params.requiredProperties).map((name) => ({
      pointer: `${instancePath}/${name}`,
      detail: 'is missing',
    }));
  }
  if (keyword === 'enum' && 'allowedValues' in params) {
    const known = textsOf(params.allowedValues);
    const given = Value.Pointer.Get(value, instancePath);
    return [unknownName(instancePath, `must be one of ${known.join(', ')}`, String(given), known)];
  }
  return [{ pointer: instancePath, detail: message }];
}

/** A name that nobody knows, and the one that was probably meant. */
export function unknownName(pointer: string, detail: string, name: string, known: readonly string[]): FieldProblem {
  const near = nearest(name, known);
  return near === null ? { pointer, detail } : { pointer, detail, didYouMean: near };
}

const propertiesOf = (schema: TSchema): object =>
  'properties' in schema && typeof schema.properties === 'object' && schema.properties !== null
    ? schema.properties
    : {};
const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
