import { Progress } from '@mantine/core';
import type { UsageQuery } from '../../api/generated/graphql';
import page from '../page.module.css';
import { bytesInWords, counted, NEARLY_USED, percentOf } from './amounts';

interface Row {
  name: string;
  used: number;
  /** What is said of it besides. */
  more?: string;
  most: number;
  /** What happens at the limit. */
  atLimit: string;
}

/** What a hospital uses of what it may, each with what happens where that is not enough. */
export function QuotaTable({ usage }: { usage: UsageQuery['usage'] }) {
  const { quotas, messages, bytes } = usage;
  const rows: Row[] = [
    {
      name: 'Devices',
      used: usage.devices,
      most: quotas.devices,
      atLimit: 'no more can be registered',
    },
    {
      name: 'People with an account',
      used: usage.users,
      most: quotas.users,
      atLimit: 'nobody more can be invited or come in',
    },
    {
      name: 'Messages a second',
      used: usage.messagesPerSecond,
      more: `${counted(usage.busiestSecond)} in the busiest second of the last minute`,
      most: quotas.messagesPerSecond,
      atLimit: `devices wait for their acknowledgements; after 30 s they have to send again. One device alone may send ${counted(quotas.deviceMessagesPerSecond)}`,
    },
    {
      name: 'Devices and programs that are connected',
      used: usage.mqtt.sessions,
      most: quotas.clients.connections,
      atLimit: 'no more are let in',
    },
    {
      name: 'Query cost in the last minute',
      used: usage.queryCost,
      most: quotas.queryCostPerMinute,
      atLimit: 'programs and pages are told to ask again later',
    },
  ];
  return (
    <table className={page.plain}>
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col">In use</th>
          <th scope="col">At most</th>
          <th scope="col">Share</th>
          <th scope="col">At the limit</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <QuotaRow key={row.name} {...row} />
        ))}
        <tr>
          <td>
            <strong>Messages that are kept</strong>
          </td>
          <td>
            {counted(messages)}
            <div className={page.soft}>{bytesInWords(bytes)}</div>
          </td>
          <td>{quotas.storedDays === null ? 'for good' : keptInWords(quotas.storedDays)}</td>
          <td />
          <td className={page.soft}>
            {quotas.storedDays === null ? 'nothing is deleted' : 'what is older is deleted'}
          </td>
        </tr>
      </tbody>
    </table>
  );
}

function QuotaRow({ name, used, more, most, atLimit }: Row) {
  const share = percentOf(used, most);
  return (
    <tr>
      <td>
        <strong>{name}</strong>
      </td>
      <td>
        {counted(used)}
        {more && <div className={page.soft}>{more}</div>}
      </td>
      <td>{counted(most)}</td>
      <td>
        <Progress
          value={share}
          w={120}
          mt="0.4rem"
          color={share >= NEARLY_USED ? 'red' : undefined}
          aria-label={`${name}: share in use`}
        />
      </td>
      <td className={page.soft}>{atLimit}</td>
    </tr>
  );
}

const keptInWords = (days: number): string => (days === 1 ? 'one day' : `${counted(days)} days`);
