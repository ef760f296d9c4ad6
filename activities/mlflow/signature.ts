import { parse } from 'yaml';
import type { ModelField, ModelSignature } from '../../contracts/model.ts';
import { fieldOf, textIn } from './fields.ts';

/** The signature in the text of an `MLmodel` file; null: it has none, or it can not be read. */
export function signatureIn(text: string): ModelSignature | null {
  try {
    const signature = fieldOf(parse(text), 'signature');
    const [inputs, outputs] = [fieldsOf(signature, 'inputs'), fieldsOf(signature, 'outputs')];
    // what it gives may be left out; without what it takes there is nothing to compare
    return inputs.length === 0 ? null : { inputs, outputs, params: fieldsOf(signature, 'params') };
  } catch {
    return null;
  }
}

/** Each part is JSON within the YAML. */
function fieldsOf(signature: unknown, part: string): readonly ModelField[] {
  const text = textIn(signature, part);
  const list: unknown = text === '' ? [] : JSON.parse(text);
  return Array.isArray(list) ? list.map(fieldIn) : [];
}

function fieldIn(field: unknown): ModelField {
  const { name, type, required, default: _, ...rest } = Object(field) as Readonly<Record<string, unknown>>; // anything has fields, or none
  const more = Object.keys(rest).length === 0 ? '' : ` ${JSON.stringify(rest)}`;
  return {
    name: typeof name === 'string' ? name : null,
    type: `${String(type)}${more}`,
    required: required !== false,
  };
}
