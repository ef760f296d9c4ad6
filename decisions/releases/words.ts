import type { ApprovalNeed } from '../../contracts/approval-need.ts';
import { parseDuration } from '../duration.ts';

/** What a release is where the spec says nothing, as a spec would say it. */
export const usual = {
  grace: '300s',
  drain: '10s',
  deadline: '600s',
  every: '1m',
} as const;

interface Times {
  readonly grace?: string;
  readonly drain?: string;
  readonly deadline?: string;
}

/** How pods come and go, as the spec says or else as usual. */
export const timesOf = ({ grace = usual.grace, drain = usual.drain, deadline = usual.deadline }: Times) => ({
  grace,
  drain,
  deadline,
});

/** A duration of a checked spec, ms. */
export const ms = (text: string): number => parseDuration(text) ?? 0;

/** The same in whole seconds, as Kubernetes counts. */
export const seconds = (text: string): number => Math.round(ms(text) / 1_000);

/** Who has to allow it. */
export const approval = (approve: boolean | string): ApprovalNeed | null =>
  approve === false ? null : { group: approve === true ? null : approve, count: 1, notByAuthor: false };

/** `namespace/name`, apart. */
export function parted(object: string): { readonly namespace: string; readonly name: string } {
  const [namespace = '', name = ''] = object.split('/');
  return { namespace, name };
}
