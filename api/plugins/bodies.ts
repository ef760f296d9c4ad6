import type { FastifyInstance } from 'fastify';
import { parseDocument } from 'yaml';
import { requestInvalid } from '../problems.ts';

const yamlTypes = ['application/yaml', 'application/x-yaml', 'text/yaml'];

/** Bodies are JSON or YAML; anything else is refused by its media type. */
export function useBodies(app: FastifyInstance): void {
  app.removeContentTypeParser('text/plain');
  app.addContentTypeParser(yamlTypes, { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, readYaml(typeof body === 'string' ? body : body.toString()));
    } catch (error) {
      done(error instanceof Error ? error : new Error('the body cannot be read'));
    }
  });
}

/** One document of YAML 1.2, which has no dates and no code. Aliases are limited by the library. */
function readYaml(text: string): unknown {
  const document = parseDocument(text, { prettyErrors: true });
  if (document.errors.length > 0) {
    throw requestInvalid(
      document.errors.map(({ code, linePos }) => ({
        pointer: '',
        detail: `is not YAML: ${code.toLowerCase().replaceAll('_', ' ')} in line ${linePos?.[0].line ?? 0}`,
      })),
    );
  }
  try {
    return document.toJS();
  } catch {
    throw requestInvalid([{ pointer: '', detail: 'is not YAML that can be read: too many aliases' }]);
  }
}
