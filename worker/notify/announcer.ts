import type { Config } from '../../config/index.ts';
import { channelsFor } from '../../decisions/notifications/channels-for.ts';
import { notificationOf } from '../../decisions/notifications/notification-of.ts';
import type { Announcer } from '../../ledger/index.ts';

/** Says what the channels of the configuration are told; undefined: there are none, and the outbox stays empty. */
export const createAnnouncer = (channels: Config['notify']): Announcer | undefined =>
  Object.keys(channels).length === 0
    ? undefined
    : { notificationOf, channelsFor: (point, named) => channelsFor(point, named, channels) };
