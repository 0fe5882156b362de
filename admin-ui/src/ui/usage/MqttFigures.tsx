import type { UsageQuery } from '../../api/generated/graphql';
import page from '../page.module.css';
import { counted } from './amounts';

type Mqtt = UsageQuery['usage']['mqtt'];

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
export function MqttFigures({ mqtt }: { mqtt: Mqtt }) {
  const rows: [string, number, string?][] = [
    ['Clients connected', mqtt.sessions],
    ['Sessions that are kept', mqtt.keptSessions, 'for clients that come back, connected or away'],
    ['Messages that wait for them', mqtt.keptMessages],
    ['Subscriptions', mqtt.subscriptions],
    ['Retained messages', mqtt.retainedMessages],
    ['Messages from clients', mqtt.received, 'since the server started'],
    ['Messages to clients', mqtt.sent, 'since the server started'],
  ];
  return (
    <>
      <table className={page.plain} aria-label="MQTT">
        <tbody>
          {rows.map(([name, amount, more]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>
                {counted(amount)}
                {more && <div className={page.soft}>{more}</div>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className={page.note}>{droppedInWords(mqtt.drops)}</p>
    </>
  );
}

/** "Went no further since the server started: 2 for a client that had too many waiting." */
export function droppedInWords(drops: Mqtt['drops']): string {
  if (drops.length === 0) return 'No message was dropped since the server started.';
  const parts = drops.map(({ reason, messages }) => `${counted(messages)} ${WHY[reason] ?? reason}`);
  return `Dropped since the server started: ${parts.join('; ')}.`;
}
