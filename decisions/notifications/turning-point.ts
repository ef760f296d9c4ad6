import type { DeploymentEvent, EventKind } from '../../contracts/events.ts';
import type { TurningPoint } from '../../contracts/notifications.ts';

/** Which turning point an event is; null: it is none, and stands in the ledger alone. */
export const turningPointOf = (event: DeploymentEvent): TurningPoint | null => ofKind[event.kind](event);

const always = (point: TurningPoint | null) => (): TurningPoint | null => point;

const ofKind: Readonly<Record<EventKind, (event: DeploymentEvent) => TurningPoint | null>> = {
  started: always('started'),
  'stage-began': always('stage-began'),
  'stage-ended': always('stage-ended'),
  reading: always(null),
  // What a check says leads to something that is told by itself; only the decision to go back has no event of its own.
  verdict: ({ data, text }) => (data['decision'] === 'rollback' && text.startsWith('going back') ? 'going-back' : null),
  finding: always(null),
  order: always('order'),
  // Whoever gave the order was answered.
  'order-refused': always(null),
  approval: always('approval'),
  'approval-refused': always('approval-refused'),
  waiting: waited,
  parked: always('parked'),
  'way-back': always('way-back'),
  evidence: always(null),
  'undo-began': always(null),
  'undo-ended': always('stage-undone'),
  ended: always('ended'),
  rebuilt: always(null),
  breaker: tripped,
};

/** That it is being tried is no news yet, nor is that this was in vain. */
function tripped({ data: { state, before } }: DeploymentEvent): TurningPoint | null {
  return state === 'half-open' || (state === 'open' && before === 'half-open') ? null : 'breaker';
}

/** Nobody has to do anything about what is only tried again. */
function waited({ data }: DeploymentEvent): TurningPoint | null {
  if (data['what'] === 'approval') return 'waiting-for-approval';
  if (data['what'] === 'proof') return 'waiting-for-proof';
  return typeof data['deadline'] === 'number' ? 'in-grace' : null;
}
