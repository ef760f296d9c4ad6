import { Type } from 'typebox';
import * as names from '../../contracts/catalog.ts';
import { eventKinds } from '../../contracts/events.ts';
import { failures } from '../../contracts/failures.ts';
import { orderDescriptions } from '../../contracts/messages.ts';
import { listOf, open, RoleName, text, whole } from '../schemas/words.ts';
import { orderPath, orderRole } from './orders.ts';
import { problems, secured, type Routes } from './route.ts';

const nameList = (description: string) => listOf(Type.String({ description: 'A name' }), description);

const CatalogSchema = open(
  {
    strategies: nameList('How to get from one shape to the other'),
    dialects: nameList('What a target may be'),
    stageKinds: nameList('What a stage may be'),
    orders: listOf(
      open(
        {
          name: text('The order'),
          path: text('Its word in addresses'),
          description: text('What it does'),
          role: RoleName,
        },
        'One order',
      ),
      'What operators may order',
    ),
    phases: nameList('Where a deployment may be'),
    endPhases: nameList('How it may have ended'),
    roles: nameList('Each includes the one before'),
    conflictPolicies: nameList('Who wins when both shapes are written and disagree'),
    failurePolicies: nameList('What happens when a stage is broken'),
    findingLevels: nameList('How much a finding weighs'),
    exportForms: nameList('Whose form a finished change can be written in'),
    eventKinds: nameList('What may happen'),
    failures: listOf(
      open(
        {
          code: text('The code'),
          family: text('Who has to do something'),
          status: whole('HTTP status'),
          title: text('What it means'),
        },
        'One code',
      ),
      'Every failure code',
    ),
  },
  'Every name that callers may write or read',
);

const TargetsSchema = open(
  {
    targets: listOf(
      open(
        { name: text('What specs call it'), dialect: text('What it is'), taskQueue: text('Where its workers listen') },
        'One target',
      ),
      'The targets of the configuration, without their addresses',
    ),
  },
  'Targets',
);

const { orderNames, workflowTypes: _, ...lists } = names;

const catalogue = {
  ...lists,
  eventKinds,
  orders: orderNames.map((name) => ({
    name,
    path: orderPath(name),
    description: orderDescriptions[name],
    role: orderRole(name),
  })),
  failures: Object.entries(failures).map(([code, { family, status, title }]) => ({ code, family, status, title })),
};

/** What there is: targets and names. */
export const catalog: Routes = (app, { config }) => {
  const targets = Object.entries(config.targets).map(([name, { dialect, taskQueue }]) => ({
    name,
    dialect,
    taskQueue,
  }));
  app.get(
    '/targets',
    {
      config: { role: 'viewer' },
      schema: {
        summary: 'List the targets that specs may name',
        description: 'From the configuration; never their addresses.',
        tags: ['service'],
        security: secured,
        response: { 200: TargetsSchema, ...problems(401, 403, 429) },
      },
    },
    () => Promise.resolve({ targets }),
  );

  app.get(
    '/catalog',
    {
      config: { role: 'viewer' },
      schema: {
        summary: 'List every name that callers may write or read',
        description: 'Unknown names are refused everywhere against these.',
        tags: ['service'],
        security: secured,
        response: { 200: Type.Unsafe<typeof catalogue>(CatalogSchema), ...problems(401, 403, 429) },
      },
    },
    () => Promise.resolve(catalogue),
  );
};
