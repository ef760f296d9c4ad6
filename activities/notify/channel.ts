import type { Answer, Notification } from '../../contracts/notifications.ts';

/** Somewhere outside that is told of turning points. */
export interface Channel {
  /** Sends one message, once; never throws. Takes ten seconds at the most. */
  send(notification: Notification, links: Links): Promise<Answer>;
}

/** What all kinds of channel know of the service. */
export interface Links {
  readonly environment: string;
  /** Where the deployment is found in the API; null: its address is not known. */
  readonly api: string | null;
  /** Its workflow in Temporal's user interface. */
  readonly temporal: string;
}

/** Where a channel leads, with its secrets. */
export interface ChannelAddress {
  /** Whoever knows it may write there: it is never logged. */
  readonly url: string;
  /** What messages are signed with; null: they are not. */
  readonly secret: string | null;
}
