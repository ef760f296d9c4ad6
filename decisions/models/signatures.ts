import type { ModelField, ModelSignature } from '../../contracts/model.ts';

/** Types into which MLflow itself turns others before it scores, without loss. */
const widened: ReadonlyMap<string, readonly string[]> = new Map([
  ['integer', ['long', 'double']],
  ['float', ['double']],
]);

/**
 * Why requests of today would not fit a candidate, or its answers not those who read them: in words, each; empty when
 * they fit. A field that the candidate no longer takes is fine: MLflow leaves out what a signature does not name.
 */
export const misfits = (stable: ModelSignature, candidate: ModelSignature): readonly string[] => [
  ...taken('input', stable.inputs, candidate.inputs),
  ...taken('parameter', stable.params, candidate.params),
  ...given(stable.outputs, candidate.outputs),
];

/** What it takes has to be sent already. */
const taken = (what: string, sent: readonly ModelField[], wanted: readonly ModelField[]): readonly string[] =>
  wanted.flatMap((field, place) => {
    const before = counterpart(sent, field, place);
    if (before === undefined)
      return field.required && what === 'input' ? [`it wants ${called(what, field, place)}, which nobody sends`] : [];
    if (!takes(field, before)) return [`${called(what, field, place)} is ${before.type}, and it wants ${field.type}`];
    return field.required && !before.required
      ? [`${called(what, field, place)} may be missing, and it wants it always`]
      : [];
  });

/** What was given so far has to be given further on. */
const given = (before: readonly ModelField[], after: readonly ModelField[]): readonly string[] =>
  before.flatMap((field, place) => {
    const now = counterpart(after, field, place);
    if (now === undefined) return [`it gives no ${called('output', field, place)}`];
    if (now.type !== field.type) return [`${called('output', field, place)} is ${now.type}, and was ${field.type}`];
    return field.required && !now.required ? [`${called('output', field, place)} may be missing, and never was`] : [];
  });

/** By its name, or where there is none by its place. */
const counterpart = (fields: readonly ModelField[], { name }: ModelField, place: number): ModelField | undefined =>
  name === null ? fields[place] : fields.find((field) => field.name === name);

const takes = (wanted: ModelField, sent: ModelField): boolean =>
  wanted.type === sent.type || widened.get(sent.type)?.includes(wanted.type) === true;

const called = (what: string, { name }: ModelField, place: number): string => `${what} ${name ?? place + 1}`;
