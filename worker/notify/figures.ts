import type { MetricMeter } from '@temporalio/common';

/** What became of a try, or of a message. */
export type Result = 'sent' | 'failed' | 'given-up';

/** What is counted of notifications, beside the SDK's own metrics of the worker. */
export interface Figures {
  count(channel: string, result: Result): void;
  /** How many wait now. */
  waiting(channel: string, messages: number): void;
}

/** Figures in the metrics of the worker. */
export function createFigures(meter: MetricMeter): Figures {
  const tries = meter.createCounter('lakeshift_notifications', 'tries', 'Tries to notify a channel, by their result');
  const waiting = meter.createGauge('lakeshift_notifications_waiting', 'int', 'messages', 'Messages that wait');
  return {
    count: (channel, result) => tries.add(1, { channel, result }),
    waiting: (channel, messages) => waiting.set(messages, { channel }),
  };
}
