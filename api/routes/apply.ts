import { Type } from 'typebox';
import type { ApplyAnswer } from '../../contracts/api.ts';
import { applySpecs } from '../apply-specs.ts';
import { actorOf } from '../plugins/access.ts';
import { compile } from '../plugins/validation.ts';
import { SpecSchema } from '../schemas/spec.ts';
import { closed, listOf, nullable, open, PhaseName, text, yesNo } from '../schemas/words.ts';
import { problems, secured, type Routes } from './route.ts';

const bodyWith = <S extends ReturnType<typeof Type.Unknown> | typeof SpecSchema>(spec: S) =>
  closed(
    {
      specs: Type.Array(spec, { maxItems: 500, description: 'The specs, in the order in which they are started' }),
      again: Type.Optional(yesNo('Also what was rolled back or refused before, though its spec has not changed')),
      dryRun: Type.Optional(yesNo('Say what would be done; nothing is started')),
    },
    'Specs that shall be carried out, as far as they have not been',
  );

/** What `checkSpec` does not check; it names all mistakes of all specs at once. */
const envelope = bodyWith(Type.Unknown());

const AnswerSchema = Type.Unsafe<ApplyAnswer>(
  open(
    {
      results: listOf(
        open(
          {
            name: text('The spec\u2019s name'),
            action: Type.Enum(['started', 'start', 'unchanged', 'later'], {
              description:
                'started; start: it would be, were this not a dry run; unchanged: this very spec is under way or has ' +
                'ended, see `phase`; later: its table is taken',
            }),
            deployment: nullable(text('An id'), 'Its deployment'),
            phase: nullable(PhaseName, 'Where that is'),
            because: nullable(text('One line'), 'Why later'),
          },
          'What became of one spec',
        ),
        'In the order of the specs',
      ),
    },
    'What became of each spec',
  ),
);

/** Many specs at once, by name: what specs in a repository need. */
export const apply: Routes = (app, deps) => {
  app.post(
    '/apply',
    {
      config: { role: 'operator' },
      validatorCompiler: (part) => compile({ ...part, schema: envelope }),
      schema: {
        summary: 'Start what is new of many specs',
        description:
          'Does nothing for a spec that is under way under its name or was the last one to end there, whoever had ' +
          'started it. A name that is under way with another spec is 409 SPEC_DIFFERS with every field that differs. ' +
          'Everything is checked and planned first: when anything is refused, all of it is answered together and ' +
          'nothing is started. The same request again, also at the same moment, starts nothing twice.',
        tags: ['deployments'],
        security: secured,
        body: bodyWith(SpecSchema),
        response: { 200: AnswerSchema, ...problems(401, 403, 409, 413, 415, 422, 429, 500, 503) },
      },
    },
    async (request) => {
      const { specs, again = false, dryRun = false } = request.body;
      const answer = await applySpecs(deps, { specs, again, dryRun, actor: actorOf(request) });
      const started = answer.results.filter(({ action }) => action === 'started').map(({ deployment }) => deployment);
      request.log.info({ deployments: started }, 'specs applied');
      return answer;
    },
  );
};
