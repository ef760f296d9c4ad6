import type { Notification } from '../../contracts/notifications.ts';
import type { Channel, ChannelAddress, Links } from './channel.ts';
import { post } from './post.ts';

/** An incoming webhook of Slack. It has no notion of an id: what is sent twice stands there twice. */
export const slack = ({ url }: ChannelAddress): Channel => ({
  send: (notification, links) =>
    post(
      url,
      { 'content-type': 'application/json; charset=utf-8' },
      JSON.stringify({ text: slackText(notification, links), unfurl_links: false, unfurl_media: false }),
    ),
});

/** The message as Slack's own markup. */
export function slackText(notification: Notification, { environment, api, temporal }: Links): string {
  const { deployment, name, text, because, phase, stage, target } = notification;
  const place = [`phase ${phase}`, ...(stage === null ? [] : [`stage ${stage}`]), `target ${target}`, environment];
  return [
    `*${escaped(name)}*: ${escaped(text)}`,
    ...(because === null ? [] : [`because: ${escaped(because)}`]),
    escaped(place.join(' · ')),
    [api === null ? escaped(deployment) : link(api, deployment), link(temporal, 'Temporal')].join(' · '),
  ].join('\n');
}

/** What Slack reads as markup; without it a reason could call a whole channel. */
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const link = (address: string, label: string): string =>
  `<${encodeURI(address).replaceAll('|', '%7C')}|${escaped(label)}>`;
