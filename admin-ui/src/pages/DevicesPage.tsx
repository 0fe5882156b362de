import { useInterval } from '@mantine/hooks';
import { Link } from '@tanstack/react-router';
import { useCallback, useMemo, useState } from 'react';
import { ask } from '../api/ask';
import { DevicesDocument } from '../api/generated/graphql';
import { DeviceTable } from '../ui/device/DeviceTable';
import { Empty } from '../ui/feedback/Empty';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { Loading } from '../ui/feedback/Loading';
import page from '../ui/page.module.css';
import { SearchBox } from '../ui/SearchBox';
import { usePaged } from '../ui/table/use-paged';
import { useRefetchOnReconnect, useSignedIn } from '../ui/use-signed-in';
import { useTitle } from '../ui/use-title';

const PAGE = 100;
/** Counts and connections do not come by a subscription. */
const REFETCH_MS = 15_000;

export function DevicesPage() {
  useTitle('Devices');
  const { client, may } = useSignedIn();
  const [search, setSearch] = useState('');
  const withPatient = may('patient:read');
  const load = useCallback(
    async (after: string | null) =>
      (await ask(client, DevicesDocument, { first: PAGE, after, search: search || null, withPatient }))
        .devices,
    [client, search, withPatient],
  );
  const list = usePaged(load);
  const { loaded, loading, error, refetch } = list;
  useRefetchOnReconnect(refetch);
  useInterval(refetch, REFETCH_MS, { autoInvoke: true });
  const rows = useMemo(() => loaded?.rows ?? [], [loaded]);

  return (
    <div className={`${page.page} ${page.fill}`}>
      <div className={page.head}>
        <h1>Devices</h1>
        <span className={page.spacer} />
        {may('device:write') && (
          <>
            <Link to="/enrolment" className={page.link}>
              Enrolment
            </Link>
            <Link to="/device-authorities" className={page.link}>
              Certificate authorities
            </Link>
          </>
        )}
        <SearchBox label="Search devices" onSearch={setSearch} />
      </div>
      {error !== null && <ErrorNotice error={error} retry={refetch} />}
      {!loaded && loading && <Loading rows={8} label="Loading devices" />}
      {loaded && rows.length === 0 && (
        <Empty title={search ? 'No device found' : 'No devices yet'}>
          {search ? 'No device fits this search.' : 'Devices appear here once they are imported or enrolled.'}
        </Empty>
      )}
      {loaded && rows.length > 0 && (
        <DeviceTable devices={rows} total={loaded.total} withPatient={withPatient} list={list} />
      )}
    </div>
  );
}
