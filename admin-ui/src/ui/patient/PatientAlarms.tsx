import { useCallback } from 'react';
import { ask } from '../../api/ask';
import { AlarmsDocument } from '../../api/generated/graphql';
import { useStore } from '../../api/store';
import { AlarmTable } from '../alarms/AlarmTable';
import { alarmRows } from '../alarms/alarm-rows';
import { Empty } from '../feedback/Empty';
import { ErrorNotice } from '../feedback/ErrorNotice';
import { Loading } from '../feedback/Loading';
import page from '../page.module.css';
import { usePaged } from '../table/use-paged';
import { useRefetchOnReconnect, useSignedIn } from '../use-signed-in';
import classes from './patient.module.css';

const PAGE = 50;

export function PatientAlarms({ patientId }: { patientId: string }) {
  const { client, alarms, may } = useSignedIn();
  const withDevice = may('device:read');
  const live = useStore(alarms);
  const load = useCallback(
    async (after: string | null) =>
      (await ask(client, AlarmsDocument, { first: PAGE, after, patient: patientId, withDevice })).alarms,
    [client, patientId, withDevice],
  );
  const list = usePaged(load);
  const { loaded, loading, error, refetch } = list;
  useRefetchOnReconnect(refetch);
  const rows = alarmRows(loaded?.rows ?? [], live, ({ patient }) => patient?.id === patientId);

  return (
    <section className={page.panel}>
      <h2>Alarms</h2>
      {error !== null && <ErrorNotice error={error} retry={refetch} />}
      {!loaded && loading && <Loading rows={3} label="Loading alarms" />}
      {loaded && rows.length === 0 && <Empty title="No alarms of this patient" />}
      {rows.length > 0 && (
        <div className={classes.alarms}>
          <AlarmTable
            label="Alarms of this patient"
            alarms={rows}
            total={Math.max(rows.length, loaded?.total ?? 0)}
            withPatient={false}
            list={list}
          />
        </div>
      )}
    </section>
  );
}
