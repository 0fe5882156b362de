import { Button } from '@mantine/core';
import { useState } from 'react';
import type { ConnectionEventKind, DeviceQuery } from '../../api/generated/graphql';
import page from '../page.module.css';
import { Time } from '../time';
import { OVER } from './carriers';

type Events = NonNullable<DeviceQuery['device']>['connectionLog'];

const HAPPENED: Record<ConnectionEventKind, string> = {
  CONNECTED: 'Connected',
  REFUSED: 'Not let in',
  DENIED: 'Not allowed',
  ENDED: 'Ended',
};

/** Rows that are shown at first. */
const FIRST = 8;

/** What became of the device's connections and why, so that nobody has to guess at its bedside. */
export function ConnectionLog({ events }: { events: Events }) {
  const [whole, setWhole] = useState(false);
  if (events.length === 0) {
    return <p className={page.note}>Nothing is known of earlier connections.</p>;
  }
  const shown = whole ? events : events.slice(0, FIRST);
  return (
    <>
      <table className={page.plain} aria-label="Connection log">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">What</th>
            <th scope="col">Why</th>
            <th scope="col">From</th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ at, kind, reason, address, carrier, version, clientId }, row) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: two events of a moment may be alike
            <tr key={`${at} ${row}`}>
              <td>
                <Time at={at} />
              </td>
              <td>{HAPPENED[kind]}</td>
              <td>{sentence(reason)}</td>
              <td>
                <span className={page.mono}>{address}</span>
                <div className={page.soft}>{how(carrier && OVER[carrier], version, clientId)}</div>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {!whole && events.length > FIRST && (
        <Button size="compact-xs" variant="subtle" onClick={() => setWhole(true)}>
          Show all {events.length}
        </Button>
      )}
    </>
  );
}

const sentence = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);

/** "TLS, MQTT 5, as monitor-1", of what is known. */
function how(over: string | null | undefined, version: string, clientId: string): string {
  return [over, version && `MQTT ${version}`, clientId && `as ${clientId}`].filter(Boolean).join(', ');
}
