import { useInterval } from '@mantine/hooks';
import { Link, useParams } from '@tanstack/react-router';
import { useQuery } from 'urql';
import { DeviceDocument } from '../api/generated/graphql';
import { CommandForm } from '../forms/CommandForm';
import { DeviceAccess } from '../ui/device/DeviceAccess';
import { DeviceState } from '../ui/device/DeviceState';
import { PatientOfDevice } from '../ui/device/DeviceTable';
import classes from '../ui/device/device.module.css';
import { Gateway } from '../ui/device/Gateway';
import { LatestReadings } from '../ui/device/LatestReadings';
import { LiveSessions } from '../ui/device/LiveSessions';
import { OwnCertificates } from '../ui/device/OwnCertificates';
import { Properties } from '../ui/device/Properties';
import { Quarantine } from '../ui/device/Quarantine';
import { SentList } from '../ui/device/SentList';
import { SetAsideList } from '../ui/device/SetAsideList';
import { Empty } from '../ui/feedback/Empty';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { Loading } from '../ui/feedback/Loading';
import { BackIcon } from '../ui/icons';
import { WhoMaySee } from '../ui/org/WhoMaySee';
import page from '../ui/page.module.css';
import { Age } from '../ui/time';
import { useRefetchOnReconnect, useSignedIn } from '../ui/use-signed-in';
import { useTitle } from '../ui/use-title';

/** A device has no subscription of its own; whoever looks at one wants to see what it sends now. */
const REFETCH_MS = 3_000;

export function DevicePage() {
  const { deviceId } = useParams({ from: '/authenticated/devices/$deviceId' });
  return <OneDevice key={deviceId} id={deviceId} />;
}

function OneDevice({ id }: { id: string }) {
  useTitle('Device');
  const { may } = useSignedIn();
  const withPatient = may('patient:read');
  const [{ data, error, fetching }, refetch] = useQuery({
    query: DeviceDocument,
    variables: { id, withPatient },
  });
  useRefetchOnReconnect(refetch);
  useInterval(refetch, REFETCH_MS, { autoInvoke: true });
  const device = data?.device;

  return (
    <div className={page.page}>
      <div>
        <Link to="/devices" className={page.back}>
          <BackIcon /> Devices
        </Link>
        <div className={page.head}>
          <h1>{device?.name ?? id}</h1>
          {device && <DeviceState {...device} />}
          <span className={page.spacer} />
          {device && <WhoMaySee row="DEVICE" id={id} />}
        </div>
      </div>
      {error && <ErrorNotice error={error} retry={refetch} />}
      {!device && fetching && <Loading rows={5} height={80} label="Loading the device" />}
      {data && !device && !error && (
        <Empty title="No such device">It was removed, or is not yours to see.</Empty>
      )}
      {device && (
        <>
          {device.quarantine !== null && (
            <Quarantine deviceId={id} reason={device.quarantine} onReleased={refetch} />
          )}
          <section className={page.panel} aria-label="About the device">
            <dl className={page.facts}>
              <Fact name="Id">{device.id}</Fact>
              <Fact name="Template">{device.template}</Fact>
              <Fact name="Last seen">
                {device.lastSeenAt ? <Age at={device.lastSeenAt} suffix=" ago" /> : 'never'}
              </Fact>
              <Fact name="Messages">{device.messageCount.toLocaleString()}</Fact>
              <Fact name="Set aside">{device.setAsideCount.toLocaleString()}</Fact>
              {withPatient && (
                <Fact name="Patient">
                  <PatientOfDevice patient={device.patient ?? null} />
                </Fact>
              )}
            </dl>
          </section>
          <LiveSessions
            deviceId={id}
            sessions={device.sessions}
            events={device.connectionLog}
            onDisconnected={refetch}
          />
          <Gateway deviceId={id} gateway={device.gateway} behind={device.behind} onChanged={refetch} />
          {may('device:write') && data.viewer?.tenant && (
            <DeviceAccess
              deviceId={id}
              tenant={data.viewer.tenant}
              blockedSince={device.blockedSince}
              onChanged={refetch}
            />
          )}
          {may('device:write') && (
            <OwnCertificates deviceId={id} certificates={device.certificates} onChanged={refetch} />
          )}
          <div className={classes.columns}>
            <Properties deviceId={id} properties={device.properties} onChanged={refetch} />
            {may('device:command') && <CommandForm deviceId={id} />}
          </div>
          <div className={classes.columns}>
            <LatestReadings readings={device.readings} />
            <SetAsideList messages={device.setAside} count={device.setAsideCount} />
          </div>
          <SentList messages={device.messages} />
        </>
      )}
    </div>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
