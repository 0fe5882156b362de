import { Button } from '@mantine/core';
import { useMutation } from 'urql';
import { type DeviceQuery, DisconnectDeviceDocument } from '../../api/generated/graphql';
import { ErrorNotice } from '../feedback/ErrorNotice';
import page from '../page.module.css';
import { Age } from '../time';
import { useSignedIn } from '../use-signed-in';
import { ConnectionLog } from './ConnectionLog';
import { OVER } from './carriers';

type Sessions = NonNullable<DeviceQuery['device']>['sessions'];
type Events = NonNullable<DeviceQuery['device']>['connectionLog'];

interface LiveSessionsProps {
  deviceId: string;
  sessions: Sessions;
  events: Events;
  onDisconnected: () => void;
}

/** Where the device is connected from, and a way to send it away when it hangs. */
export function LiveSessions({ deviceId, sessions, events, onDisconnected }: LiveSessionsProps) {
  const { may } = useSignedIn();
  const [{ fetching, error }, disconnect] = useMutation(DisconnectDeviceDocument);
  return (
    <section className={page.panel} aria-label="Connection">
      <div className={page.head}>
        <h2>Connection</h2>
        <span className={page.spacer} />
        {may('device:write') && sessions.length > 0 && (
          <Button
            size="compact-xs"
            variant="default"
            loading={fetching}
            onClick={async () => {
              const { data } = await disconnect({ id: deviceId });
              if (data) onDisconnected();
            }}
          >
            Disconnect it
          </Button>
        )}
      </div>
      {sessions.length === 0 && <p className={page.note}>It is not connected over MQTT now.</p>}
      {sessions.length > 0 && (
        <table className={page.plain}>
          <thead>
            <tr>
              <th scope="col">Connected for</th>
              <th scope="col">From</th>
              <th scope="col">Over</th>
              <th scope="col">MQTT</th>
              <th scope="col">Calls itself</th>
            </tr>
          </thead>
          <tbody>
            {sessions.map(({ clientId, address, carrier, version, since }) => (
              <tr key={clientId}>
                <td>
                  <Age at={since} />
                </td>
                <td className={page.mono}>{address}</td>
                <td>{OVER[carrier]}</td>
                <td>{version}</td>
                <td className={page.mono}>{clientId}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {error && <ErrorNotice error={error} />}
      <h3>Lately</h3>
      <ConnectionLog events={events} />
    </section>
  );
}
