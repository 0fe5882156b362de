import { Space } from '@mantine/core';
import type { UsageQuery } from '../../api/generated/graphql';
import page from '../page.module.css';
import { bytesInWords, counted } from './amounts';

type Mqtt = UsageQuery['usage']['mqtt'];
type Clients = UsageQuery['usage']['quotas']['clients'];

/** Why messages went no further, as whoever looks after the fleet would say it. */
const WHY: Record<string, string> = {
  not_authorized: 'published outside the rights of their sender',
  too_many_retained: 'to be retained when there were as many as there may be',
  queue_full: 'for a client that had too many waiting',
  slow_consumer: 'for a client that was disconnected as it was too slow',
  disconnected: 'still waiting when their client went',
  too_large: 'larger than their client takes',
  expired: 'older than their sender wanted',
  backlog: 'for a kept session that was too far behind',
  damaged: 'not readable any more',
  invalid_topic: 'to something that is no topic',
};

/** What passes over MQTT, and what is held for clients that are away. */
export function MqttFigures({ mqtt, clients }: { mqtt: Mqtt; clients: Clients }) {
  const rows: [string, number, string][] = [
    ['Clients connected', mqtt.sessions, 'devices and programs'],
    ['Sessions that are kept', mqtt.keptSessions, 'their clients are connected, or may come back'],
    ['Messages that wait', mqtt.keptMessages, 'for sessions that are kept'],
    ['Subscriptions', mqtt.subscriptions, 'of all sessions'],
    ['Retained messages', mqtt.retainedMessages, 'the last of each topic, for later subscribers'],
    ['Messages from clients', mqtt.received, 'since the server started'],
    ['Messages to clients', mqtt.sent, 'since the server started'],
  ];
  return (
    <>
      <table className={page.plain} aria-label="MQTT">
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">How many</th>
            <th scope="col">Which</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, amount, more]) => (
            <tr key={name}>
              <td>
                <strong>{name}</strong>
              </td>
              <td>{counted(amount)}</td>
              <td className={page.soft}>{more}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <Space h="sm" />
      <p className={page.note}>{droppedInWords(mqtt.drops)}</p>
      <p className={page.note}>{allowedInWords(clients)}</p>
    </>
  );
}

/** What each client may take up. */
export function allowedInWords({
  packetBytes,
  receiveMaximum,
  inFlight,
  queuedMessages,
  subscriptions,
}: Clients): string {
  const sends = `packets of ${bytesInWords(packetBytes)}, and ${counted(receiveMaximum)} messages before the first is acknowledged`;
  const receives = `${counted(inFlight)} before it acknowledges the first, with ${counted(queuedMessages)} more waiting`;
  return `At most, each client sends ${sends}; is sent ${receives}; and has ${counted(subscriptions)} subscriptions.`;
}

/** "Went no further since the server started: 2 for a client that had too many waiting." */
export function droppedInWords(drops: Mqtt['drops']): string {
  if (drops.length === 0) return 'No message was dropped since the server started.';
  const parts = drops.map(({ reason, messages }) => `${counted(messages)} ${WHY[reason] ?? reason}`);
  return `Dropped since the server started: ${parts.join('; ')}.`;
}
