import { readFile } from 'node:fs/promises';
import type { GlobalOptions } from '../settings.ts';
import type { Register } from './register.ts';

/** `lakeshift schema`: the JSON Schema of a spec as this version knows it, for editors; no service is asked. */
export const registerSchema: Register = (program, run) => {
  program
    .command('schema')
    .description('print the JSON Schema of a spec, by which editors complete and check it')
    .action((_options: unknown, command: { optsWithGlobals: () => GlobalOptions }) =>
      run(command.optsWithGlobals(), async (context) => {
        context.out(await readFile(new URL('../../contracts/spec.schema.json', import.meta.url), 'utf8'));
        return 'ok';
      }),
    );
};
