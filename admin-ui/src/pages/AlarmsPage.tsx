import { SegmentedControl } from '@mantine/core';
import { useCallback, useState } from 'react';
import { ask } from '../api/ask';
import { AlarmsDocument } from '../api/generated/graphql';
import { useStore } from '../api/store';
import { AlarmTable } from '../ui/alarms/AlarmTable';
import { alarmRows } from '../ui/alarms/alarm-rows';
import { Empty } from '../ui/feedback/Empty';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { Loading } from '../ui/feedback/Loading';
import page from '../ui/page.module.css';
import { usePaged } from '../ui/table/use-paged';
import { useRefetchOnReconnect, useSignedIn } from '../ui/use-signed-in';
import { useTitle } from '../ui/use-title';

const PAGE = 100;

export function AlarmsPage() {
  useTitle('Alarms');
  const [shown, setShown] = useState('open');
  return (
    <div className={`${page.page} ${page.fill}`}>
      <div className={page.head}>
        <h1>Alarms</h1>
        <SegmentedControl
          size="xs"
          aria-label="Which alarms"
          value={shown}
          onChange={setShown}
          data={[
            { value: 'open', label: 'Open' },
            { value: 'all', label: 'All' },
          ]}
        />
      </div>
      {shown === 'open' ? <OpenAlarms /> : <AllAlarms />}
    </div>
  );
}

/** The feed holds every open alarm; this list is complete and moves by itself. */
function OpenAlarms() {
  const { open, complete } = useStore(useSignedIn().alarms);
  if (open.length > 0) return <AlarmTable label="Open alarms" alarms={open} total={open.length} />;
  if (!complete) return <Loading label="Loading alarms" />;
  return <Empty title="No open alarms">New ones appear here at once.</Empty>;
}

function AllAlarms() {
  const { client, alarms, may } = useSignedIn();
  const withDevice = may('device:read');
  const live = useStore(alarms);
  const load = useCallback(
    async (after: string | null) =>
      (await ask(client, AlarmsDocument, { first: PAGE, after, withDevice })).alarms,
    [client, withDevice],
  );
  const list = usePaged(load);
  const { loaded, loading, error, refetch } = list;
  useRefetchOnReconnect(refetch);
  const rows = alarmRows(loaded?.rows ?? [], live, () => loaded !== null);

  return (
    <>
      {error !== null && <ErrorNotice error={error} retry={refetch} />}
      {!loaded && loading && <Loading label="Loading alarms" />}
      {loaded && rows.length === 0 && <Empty title="There has been no alarm yet" />}
      {loaded && rows.length > 0 && (
        <AlarmTable
          label="All alarms"
          alarms={rows}
          total={loaded.total + rows.length - loaded.rows.length}
          list={list}
        />
      )}
    </>
  );
}
