import type { TurningPoint } from '../../contracts/notifications.ts';

/** What of a channel decides whether it is told. */
export interface ChannelRule {
  readonly on: readonly TurningPoint[];
  readonly isDefault: boolean;
}

/**
 * The channels that are told of a turning point: those that the spec has `named`, or the default ones where it names
 * none (null). A name that is no longer in the configuration is passed over.
 */
export const channelsFor = (
  point: TurningPoint,
  named: readonly string[] | null,
  channels: Readonly<Record<string, ChannelRule>>,
): readonly string[] =>
  Object.entries(channels)
    .filter(([name, { isDefault }]) => (named === null ? isDefault : named.includes(name)))
    .filter(([, { on }]) => on.includes(point))
    .map(([name]) => name);
