import type { EventId, Notification } from '../../contracts/notifications.ts';
import type { Channel, ChannelAddress, Links } from './channel.ts';
import { post } from './post.ts';
import { signatureHeaders } from './sign.ts';

/** Any receiver of CloudEvents 1.0 in structured mode, signed in the manner of Standard Webhooks. */
export const webhook = ({ url, secret }: ChannelAddress): Channel => ({
  send(notification, links) {
    const body = JSON.stringify(cloudEvent(notification, links));
    // The configuration demands a secret of this kind; the key of nobody is not one.
    if (secret === null) throw new TypeError('a webhook without a secret');
    const signed = signatureHeaders(secret, eventId(notification), Date.now(), body);
    return post(url, { 'content-type': 'application/cloudevents+json; charset=utf-8', ...signed }, body);
  },
});

/** The same at every try: a deployment's id ends with eight hex digits, so that no two events share one. */
export const eventId = ({ deployment, seq }: Pick<Notification, 'deployment' | 'seq'>): EventId =>
  `${deployment}-${seq}`;

/** The event that a receiver gets. */
export function cloudEvent(notification: Notification, { environment, api, temporal }: Links): object {
  const { deployment, seq, at, point, ...rest } = notification;
  return {
    specversion: '1.0',
    id: eventId(notification),
    source: `urn:lakeshift:${environment}`,
    type: `dev.lakeshift.deployment.${point}`,
    subject: deployment,
    time: new Date(at).toISOString(),
    datacontenttype: 'application/json',
    data: { deployment, seq, point, environment, ...rest, links: { api, temporal } },
  };
}
