import type { ChannelKind } from '../../contracts/notifications.ts';
import type { Channel, ChannelAddress } from './channel.ts';
import { slack } from './slack.ts';
import { webhook } from './webhook.ts';

export type { Channel, ChannelAddress, Links } from './channel.ts';
export { answerWithin } from './post.ts';

/** Every kind of channel. */
export const channels: Readonly<Record<ChannelKind, (address: ChannelAddress) => Channel>> = { slack, webhook };
