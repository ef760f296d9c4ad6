import type { Phase } from './catalog.ts';

/** What a channel is: one file each in `activities/notify`. */
export const channelKinds = ['slack', 'webhook'] as const;
export type ChannelKind = (typeof channelKinds)[number];

/** What happens to a deployment that people and programs are told of, in the order in which it usually happens. */
export const turningPoints = [
  'started',
  'stage-began',
  'stage-ended',
  'waiting-for-approval',
  'approval',
  'approval-refused',
  'waiting-for-proof',
  'in-grace',
  'breaker',
  'order',
  'parked',
  'way-back',
  'going-back',
  'stage-undone',
  'ended',
] as const;
export type TurningPoint = (typeof turningPoints)[number];

/** Channels of the configuration that are told of a deployment; an empty list: nobody. Default: those that are told by default. */
export type NotifySpec = string | readonly string[];

/** One turning point as it is told: names, codes and a person's reason; never a row's value, a secret or SQL. */
export interface Notification {
  readonly deployment: string;
  /** Of the event; with the deployment it is what receivers know it by. */
  readonly seq: number;
  /** Epoch ms. */
  readonly at: number;
  readonly point: TurningPoint;
  readonly name: string;
  readonly target: string;
  readonly strategy: string;
  /** As it was when the ledger heard of it. */
  readonly phase: Phase;
  readonly stage: string | null;
  /** One line for people. */
  readonly text: string;
  /** Why, where there is a why. */
  readonly because: string | null;
}

/** What a receiver made of a message. */
export type Answer =
  | { readonly taken: true; readonly because: string }
  | {
      readonly taken: false;
      /** It has read the message and does not want it: another message may fare better. */
      readonly refused: boolean;
      /** A status or a code of the connection; never an address. */
      readonly because: string;
      /** It asks to be left alone for so long, ms; null: it does not say. */
      readonly retryAfterMs: number | null;
    };

/** What makes up the id of an event for receivers; without a full stop, which separates what is signed. */
export type EventId = `${string}-${number}`;
