// node tools/run.mjs tools/write-spec-schema.ts: writes the JSON Schema of the spec as the API has it.
import { writeFile } from 'node:fs/promises';
import { specJsonSchema } from '../api/schemas/spec-json-schema.ts';

const file = new URL('../contracts/spec.schema.json', import.meta.url);
await writeFile(file, `${JSON.stringify(specJsonSchema, null, 2)}\n`);
