import { useInterval } from '@mantine/hooks';
import { useCallback, useState } from 'react';
import { ask } from '../api/ask';
import { PatientsDocument } from '../api/generated/graphql';
import { WardBoard } from '../ui/board/WardBoard';
import { OpenInEmergency } from '../ui/emergency/OpenInEmergency';
import { Empty } from '../ui/feedback/Empty';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { Loading } from '../ui/feedback/Loading';
import page from '../ui/page.module.css';
import { SearchBox } from '../ui/SearchBox';
import { usePaged } from '../ui/table/use-paged';
import { useRefetchOnReconnect, useSignedIn } from '../ui/use-signed-in';
import { useTitle } from '../ui/use-title';

const PAGE = 100;
/** Admissions and moves do not come by the subscription. */
const REFETCH_MS = 60_000;

export function WardBoardPage() {
  useTitle('Ward board');
  const { client, vitals: feed } = useSignedIn();
  const [search, setSearch] = useState('');
  const load = useCallback(
    async (after: string | null) => {
      const { patients } = await ask(client, PatientsDocument, {
        first: PAGE,
        after,
        search: search || null,
      });
      for (const patient of patients.nodes) feed.merge(patient.id, patient);
      return patients;
    },
    [client, feed, search],
  );
  const list = usePaged(load);
  const { loaded, loading, error, refetch } = list;
  useRefetchOnReconnect(refetch);
  useInterval(refetch, REFETCH_MS, { autoInvoke: true });

  return (
    <div className={`${page.page} ${page.fill}`}>
      <div className={page.head}>
        <h1>Ward board</h1>
        {loaded && (
          <span className={page.note}>{loaded.total === 1 ? '1 patient' : `${loaded.total} patients`}</span>
        )}
        <span className={page.spacer} />
        <SearchBox label="Search patients" onSearch={setSearch} />
      </div>
      {error !== null && <ErrorNotice error={error} retry={refetch} />}
      {!loaded && loading && <Loading rows={8} height={56} label="Loading patients" />}
      {loaded && loaded.rows.length === 0 && (
        <>
          <Empty title={search ? 'Nobody found' : 'No patients yet'}>
            {search
              ? 'No patient fits this search.'
              : 'Patients appear here once they are admitted to a ward.'}
          </Empty>
          <OpenInEmergency key={search} mrn={search} />
        </>
      )}
      {loaded && loaded.rows.length > 0 && (
        <WardBoard patients={loaded.rows} total={loaded.total} list={list} />
      )}
    </div>
  );
}
