import type { DeviceQuery } from '../../api/generated/graphql';
import page from '../page.module.css';
import { Time } from '../time';
import classes from './device.module.css';
import { reasonInWords } from './reasons';

type SetAside = NonNullable<DeviceQuery['device']>['setAside'][number];

/** Messages that were stored but not understood; the newest first, as the server gives them. */
export function SetAsideList({ messages, count }: { messages: readonly SetAside[]; count: number }) {
  return (
    <section className={page.panel}>
      <h2>Set aside</h2>
      {messages.length === 0 && <p className={page.note}>Every message of this device was understood.</p>}
      {messages.length > 0 && (
        <>
          <p className={page.note}>
            {count > messages.length ? `The newest ${messages.length} of ${count} messages` : 'Messages'} that
            are stored but could not be understood.
          </p>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
          <section className={page.scrollable} tabIndex={0} aria-label="Messages set aside">
            <table className={page.plain}>
              <thead>
                <tr>
                  <th scope="col">Received</th>
                  <th scope="col">Reason</th>
                  <th scope="col">Begins with</th>
                </tr>
              </thead>
              <tbody>
                {messages.map(({ sequence, receivedAt, reason, detail, excerpt }) => (
                  <tr key={sequence}>
                    <td>
                      <Time at={receivedAt} />
                      <div className={`${page.soft} ${page.small}`}>no. {sequence}</div>
                    </td>
                    <td>
                      <span className={classes.reason}>{reasonInWords(reason)}</span>{' '}
                      <code className={`${page.mono} ${page.soft}`}>{reason}</code>
                      <div className={`${page.soft} ${page.small}`}>{detail}</div>
                    </td>
                    <td>
                      {excerpt === null ? (
                        <span className={page.soft}>hidden from your role</span>
                      ) : (
                        <code className={page.mono}>{excerpt}</code>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        </>
      )}
    </section>
  );
}
