import type { DeviceQuery } from '../../api/generated/graphql';
import page from '../page.module.css';
import { Time } from '../time';

type Sent = NonNullable<DeviceQuery['device']>['messages'][number];

/** The newest messages as the device sent them, for whoever sets one up. */
export function SentList({ messages }: { messages: readonly Sent[] }) {
  return (
    <section className={page.panel}>
      <h2>Last messages</h2>
      {messages.length === 0 && <p className={page.note}>This device has not sent anything yet.</p>}
      {messages.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
        <section className={page.scrollable} tabIndex={0} aria-label="Last messages as they were sent">
          <table className={page.plain}>
            <thead>
              <tr>
                <th scope="col">Received</th>
                <th scope="col">Topic</th>
                <th scope="col">Payload</th>
              </tr>
            </thead>
            <tbody>
              {messages.map(({ sequence, receivedAt, topic, size, payload, userProperties }) => (
                <tr key={sequence}>
                  <td>
                    <Time at={receivedAt} />
                    <div className={`${page.soft} ${page.small}`}>no. {sequence}</div>
                  </td>
                  <td>
                    <code className={`${page.mono} ${page.whole}`}>{topic}</code>
                    <div className={`${page.soft} ${page.small}`}>{size.toLocaleString()} bytes</div>
                  </td>
                  <td>
                    {payload === null ? (
                      <span className={page.soft}>hidden from your role</span>
                    ) : (
                      <code className={page.mono}>{beginning(payload)}</code>
                    )}
                    {userProperties && userProperties.length > 0 && (
                      <div className={`${page.soft} ${page.small}`}>
                        with {userProperties.map(({ name, value }) => `${name}: ${value}`).join(', ')}
                      </div>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </section>
  );
}

/** A waveform has thousands of numbers; its beginning says what it is. */
const MAX_SHOWN = 300;

const beginning = (payload: string): string =>
  payload.length > MAX_SHOWN ? `${payload.slice(0, MAX_SHOWN)} …` : payload;
