import type { UsageQuery } from '../../api/generated/graphql';
import page from '../page.module.css';
import { counted } from './amounts';
import style from './usage.module.css';

/** How many messages of each of the last days are kept, as bars. */
export function DaysOfMessages({ days }: { days: UsageQuery['usage']['days'] }) {
  const most = Math.max(...days.map(({ messages }) => messages), 1);
  return (
    <table className={page.plain}>
      <thead>
        <tr>
          <th scope="col">Day (UTC)</th>
          <th scope="col" colSpan={2}>
            Messages
          </th>
        </tr>
      </thead>
      <tbody>
        {days.toReversed().map(({ date, messages }) => (
          <tr key={date}>
            <td className={page.mono}>{date}</td>
            <td className={style.amount}>{counted(messages)}</td>
            <td className={style.track}>
              <div className={style.bar} style={{ width: `${(messages / most) * 100}%` }} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
