import { Type } from 'typebox';
import type { DeploymentPage, DeploymentView, Report } from '../../contracts/api.ts';
import { eventKinds } from '../../contracts/events.ts';
import { FindingSchema } from './problem.ts';
import { BreakerSchema, TrafficSchema } from './traffic.ts';
import { ShadowSchema } from './shadow.ts';
import {
  ActorSchema,
  listOf,
  moment,
  nullable,
  open,
  OrderNameSchema,
  PhaseName,
  text,
  whole,
  yesNo,
} from './words.ts';

const rows = (description: string) => nullable(Type.Number({ description: 'Rows' }), description);

const StageProgressSchema = open(
  {
    name: text('The stage'),
    state: Type.Enum(['pending', 'running', 'done', 'undoing', 'undone', 'skipped'], { description: 'How far it is' }),
    beganAt: nullable(moment('A moment'), 'When it began'),
    endedAt: nullable(moment('A moment'), 'When it ended'),
    note: nullable(text('One line'), 'What it did'),
    rows: rows('Rows done'),
    totalRows: rows('Rows in all'),
  },
  'One stage\u2019s progress',
);

const WayBackSchema = open(
  {
    verdict: Type.Enum(['lossless', 'losing', 'no'], { description: 'Whether one can still go back' }),
    rows: rows('Rows that going back would lose'),
    because: text('Why'),
    since: moment('Since when'),
    lookedAt: moment('When it was last looked at'),
  },
  'Whether one can still go back, and what it would lose',
);

const RunningSchema = open(
  {
    on: text('The workload on which they run'),
    queries: nullable(whole('How many'), 'Null: nobody could see'),
    because: text('How many, or why nobody could see'),
    since: moment('Since when they are waited for'),
    lookedAt: moment('When they were last counted'),
  },
  'Queries that run where no new ones are, or are to be, sent',
);

const ProgressSchema = open(
  {
    direction: Type.Enum(['forward', 'back'], { description: 'Where it goes' }),
    at: whole('Index of the current stage'),
    begun: whole('How many stages have begun'),
    stages: listOf(StageProgressSchema, 'All stages'),
    deadline: nullable(moment('A moment'), 'Until when the present waiting lasts'),
    parked: nullable(Type.Object({}, { description: 'Code and detail' }), 'Why the present stage is parked'),
    waitingFor: nullable(Type.Object({}, { description: 'What, stage, detail' }), 'What it waits for besides time'),
    because: nullable(text('A reason'), 'Why it goes back'),
    verdict: Type.Optional(
      nullable(Type.Object({}, { description: 'Decision, because' }), 'What the checks last said'),
    ),
    traffic: Type.Optional(TrafficSchema),
    breakers: Type.Optional(listOf(BreakerSchema, 'What the candidate needs besides itself')),
    fallback: Type.Optional(
      nullable(
        open({ since: moment('Since when') }, 'A share that is at home'),
        'Everything is on the stable side because of an open breaker; null: it is not',
      ),
    ),
    shadow: Type.Optional(nullable(ShadowSchema, 'Of a shadow; null: nothing was compared')),
    running: Type.Optional(nullable(RunningSchema, 'Null: none is waited for')),
    wayBack: WayBackSchema,
    findings: listOf(FindingSchema, 'What preflight found'),
    evidence: nullable(Type.Object({}, { description: 'Stage, hash, findings' }), 'What an approval is bound to'),
    outcome: nullable(Type.Object({}, { description: 'Phase, because, at' }), 'How it ended'),
  },
  'How far the deployment is',
);

const StatusSchema = open(
  {
    id: text('The deployment\u2019s id'),
    name: text('The spec\u2019s name'),
    target: text('The target'),
    strategy: text('The strategy'),
    planHash: text('What approvals are bound to'),
    phase: PhaseName,
    stage: nullable(text('A stage'), 'The current stage: what orders must name; null when it has ended'),
    paused: yesNo('Whether it is paused'),
    rate: rows('Rows per second at the most'),
    progress: ProgressSchema,
    possible: listOf(OrderNameSchema, 'The orders that would be taken now'),
    startedBy: ActorSchema,
    startedAt: moment('When it was started'),
    changedAt: moment('When it last changed'),
  },
  'Where a deployment is',
);

const LiveSchema = open(
  {
    id: text('The deployment\u2019s id'),
    stage: text('The stage that speaks'),
    rows: Type.Number({ description: 'Rows done' }),
    totalRows: rows('Rows in all'),
    rate: rows('Rows per second'),
    secondsToGo: nullable(Type.Number({ description: 'Seconds' }), 'Time to go at this rate'),
    pace: text('Why it goes at this speed'),
    at: moment('When it was said'),
  },
  'What a running stage says of itself each second',
);

/** One deployment. */
export const DeploymentViewSchema = Type.Unsafe<DeploymentView>(
  open(
    {
      status: StatusSchema,
      live: nullable(LiveSchema, 'Null: nothing runs that goes over rows'),
      seq: Type.Optional(whole('Number of the last event in it')),
      links: open(
        {
          self: text('This deployment'),
          events: text('Its events as a stream'),
          report: text('Its report'),
          temporal: text('Its page in Temporal\u2019s own user interface'),
        },
        'Addresses',
      ),
    },
    'One deployment',
  ),
);

/** A page of a list. */
export const DeploymentPageSchema = Type.Unsafe<DeploymentPage>(
  open(
    {
      deployments: listOf(
        open(
          {
            id: text('The deployment\u2019s id'),
            name: text('The spec\u2019s name'),
            target: text('The target'),
            strategy: text('The strategy'),
            phase: PhaseName,
            stage: nullable(text('A stage'), 'The current stage'),
            startedBy: text('Who started it'),
            startedAt: moment('When it was started'),
            changedAt: moment('When it last changed'),
          },
          'A deployment in a list',
        ),
        'Newest first',
      ),
      next: nullable(text('A cursor'), 'Hand it back as `cursor`; null: this is the last page'),
    },
    'A page of deployments',
  ),
);

const EventSchema = open(
  {
    seq: whole('Rises by one within a deployment'),
    at: moment('When it happened'),
    kind: Type.Enum([...eventKinds], { description: 'What kind of thing' }),
    stage: nullable(text('A stage'), 'At which stage'),
    text: text('One line for people'),
    data: Type.Object({}, { description: 'Facts of this kind' }),
  },
  'One thing that happened',
);

const StageReport = open(
  {
    name: text('The stage'),
    state: text('How it ended'),
    ms: nullable(Type.Number({ description: 'Milliseconds' }), 'How long it took'),
    rows: rows('How many rows'),
    note: nullable(text('One line'), 'What it did'),
  },
  'What one stage did',
);

const ApprovalReport = open(
  { stage: text('What was approved'), by: text('By whom'), at: moment('When'), reason: text('Why') },
  'One approval that counted',
);

const measured = (description: string) =>
  nullable(Type.Number({ description: 'A number' }), `${description}; null: not measured`);

const FeltSchema = open(
  {
    by: nullable(text('Our own probe, or a metrics source'), 'What was asked; null: nothing'),
    p99AloneMs: measured('p99 without us, ms'),
    p99BesideMs: measured('p99 beside our bursts, ms'),
    measuredMs: Type.Number({ description: 'For how long the p99 beside us was measured, ms' }),
    longestMs: measured('The longest that one statement of the probe took, ms'),
    lockWaits: measured('Sessions that were seen waiting for a lock of ours'),
    deadlocks: measured('Deadlocks in the whole database meanwhile, whoever was in them'),
    errors: measured('Errors of the application meanwhile, whoever caused them'),
  },
  'What the application felt while rows were rewritten',
);

/** What happened. */
export const ReportSchema = Type.Unsafe<Report>(
  open(
    {
      id: text('The deployment\u2019s id'),
      plan: Type.Object({}, { description: 'The plan that was carried out' }),
      outcome: nullable(Type.Object({}, { description: 'Phase, because, at' }), 'How it ended; null: it has not'),
      phase: PhaseName,
      stages: listOf(StageReport, 'What each stage did'),
      decisions: listOf(EventSchema, 'What was decided, by whom, on what evidence'),
      approvals: listOf(ApprovalReport, 'Who approved what'),
      traffic: Type.Optional(nullable(TrafficSchema, 'When it was last looked at; null: nothing has been moved')),
      shadow: Type.Optional(nullable(ShadowSchema, 'Of a shadow; null: nothing was compared')),
      application: open(
        {
          errorsCaused: nullable(whole('Errors'), 'Errors of the application that we caused; null: not measured'),
          longestLockMs: nullable(
            Type.Number({ description: 'Milliseconds' }),
            'Longest time that we held or awaited the table\u2019s lock; null: not measured',
          ),
          felt: Type.Optional(nullable(FeltSchema, 'While rows were rewritten; null: nothing was measured')),
        },
        'What the application felt',
      ),
    },
    'What happened, from the ledger alone',
  ),
);
