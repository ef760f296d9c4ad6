import type { DeploymentEvent } from '../../contracts/events.ts';
import { failures } from '../../contracts/failures.ts';
import type { Json, JsonObject } from '../../contracts/json.ts';
import type { Notification, TurningPoint } from '../../contracts/notifications.ts';
import type { Status } from '../../contracts/progress.ts';
import { turningPointOf } from './turning-point.ts';

/** Characters of one line at the most: reasons are people's own words. */
const longest = 300;

/**
 * What is told of an event; null: it is no turning point. What a failure or a finding says of itself stays in the
 * ledger: it may name keys of rows, and a channel is somebody else's. Its code and title go out.
 */
export function notificationOf(status: Status, event: DeploymentEvent): Notification | null {
  const point = turningPointOf(event);
  if (point === null) return null;
  const { text, because } = words[point](event, status);
  return {
    deployment: status.id,
    seq: event.seq,
    at: event.at,
    point,
    name: status.name,
    target: status.target,
    strategy: status.strategy,
    phase: status.phase,
    stage: event.stage,
    text: line(text),
    because: because === null ? null : line(because),
  };
}

interface Words {
  readonly text: string;
  readonly because: string | null;
}
type Wording = (event: DeploymentEvent, status: Status) => Words;

const own: Wording = ({ text }) => ({ text, because: null });
const ofStage =
  (verb: string): Wording =>
  ({ stage }) => ({ text: `${stage ?? 'a stage'} ${verb}`, because: null });

/** Of each turning point only words that are known to hold names, counts, times and people's reasons. */
const words: Readonly<Record<TurningPoint, Wording>> = {
  started: ({ data }) => ({ text: `started by ${actorOf(data)}`, because: null }),
  'stage-began': ofStage('began'),
  'stage-ended': ofStage('ended'),
  'waiting-for-approval': own,
  approval: ordered,
  'approval-refused': ({ data }) => ({
    text: `${word(data['order'])} by ${actorOf(data)} was refused`,
    because: failureWords(word(data['code'])),
  }),
  'waiting-for-proof': own,
  'in-grace': own,
  breaker: ({ data }) => ({
    text: `${word(data['name'])} is ${data['state'] === 'open' ? 'away: everything goes to the stable side' : 'back'}`,
    because: null,
  }),
  order: ordered,
  parked: ({ data }) => ({ text: 'needs attention', because: failureWords(word(data['code'])) }),
  'way-back': ({ data }) => ({ text: `going back is ${word(data['verdict'])} now`, because: word(data['because']) }),
  'going-back': ({ data }) => ({ text: 'goes back', because: whyBack(word(data['because'])) }),
  'stage-undone': ofStage('was taken back'),
  ended: ({ data }) => ({ text: `ended: ${word(data['phase'])}`, because: whyEnded(word(data['because'])) }),
};

function ordered({ data }: DeploymentEvent): Words {
  return { text: `${word(data['order'])} by ${actorOf(data)}`, because: word(data['reason']) };
}

/** An order and its reason, or the code of a failure; what a preflight or a check has seen is for the report. */
function whyBack(because: string): string {
  if (/^(rollback|abort|reject|retry|skip) by /.test(because)) return because;
  const [, stage, code] = /^(\S+) failed: ([A-Z_]+)\b/.exec(because) ?? [];
  if (stage !== undefined && code !== undefined) return `${stage} failed: ${failureWords(code)}`;
  return 'what was seen speaks against it; the report says what';
}

const whyEnded = (because: string): string => (because === allDone ? because : whyBack(because));
const allDone = 'all stages are done';

function failureWords(code: string): string {
  const kind = Object.entries(failures).find(([known]) => known === code)?.[1];
  return kind === undefined ? code : `${code}: ${kind.title}`;
}

function actorOf(data: JsonObject): string {
  const { actor } = data;
  return typeof actor === 'object' && actor !== null && !Array.isArray(actor)
    ? word((actor as JsonObject)['name']) // no list: an object
    : word(actor);
}

const word = (value: Json | undefined): string => (typeof value === 'string' ? value : 'unknown');

/** One line of bounded length. */
function line(text: string): string {
  const flat = text.replaceAll(/\s+/g, ' ').trim();
  return flat.length > longest ? `${flat.slice(0, longest - 1)}…` : flat;
}
