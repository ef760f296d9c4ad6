import { Type } from 'typebox';
import { Refusal } from '../problems.ts';
import { open, text } from '../schemas/words.ts';
import { problems, type Routes } from './route.ts';

const HealthSchema = open(
  {
    status: text('ok'),
    checks: Type.Record(Type.String(), Type.String({ description: 'ok' }), { description: 'What was looked at' }),
  },
  'The service\u2019s health',
);

/** How long a part may take to answer a look at its health, ms. */
const patience = 3_000;

/** Whether the process answers, and whether it can serve. Needs no token. */
export const health: Routes = (app, { engine, reader }) => {
  app.get(
    '/health/live',
    {
      logLevel: 'warn',
      schema: {
        summary: 'Say that the process answers',
        description: 'Looks at nothing else.',
        tags: ['service'],
        response: { 200: HealthSchema },
      },
    },
    () => Promise.resolve({ status: 'ok', checks: {} }),
  );

  app.get(
    '/health/ready',
    {
      logLevel: 'warn',
      schema: {
        summary: 'Say whether requests can be served',
        description: 'Asks Temporal and the ledger.',
        tags: ['service'],
        response: { 200: HealthSchema, ...problems(503) },
      },
    },
    async () => {
      await Promise.all([
        within(engine.ping(), () => new Refusal('ENGINE_UNREACHABLE', 'Temporal does not answer')),
        within(reader.ping(), () => new Refusal('LEDGER_UNREACHABLE', 'the ledger does not answer')),
      ]);
      return { status: 'ok', checks: { temporal: 'ok', ledger: 'ok' } };
    },
  );
};

async function within(work: Promise<void>, refusal: () => Refusal): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(refusal());
    }, patience);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
