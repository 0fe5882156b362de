import { useParams } from '@tanstack/react-router';
import { useEffect } from 'react';
import { useQuery } from 'urql';
import { PatientDocument } from '../api/generated/graphql';
import { EcgStrip } from '../ui/charts/EcgStrip';
import { OpenedNotice } from '../ui/emergency/OpenedNotice';
import { OpenInEmergency } from '../ui/emergency/OpenInEmergency';
import { Empty } from '../ui/feedback/Empty';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { Loading } from '../ui/feedback/Loading';
import page from '../ui/page.module.css';
import { News2Breakdown } from '../ui/patient/News2Breakdown';
import { PatientAlarms } from '../ui/patient/PatientAlarms';
import { PatientHeader } from '../ui/patient/PatientHeader';
import { PatientTrends } from '../ui/patient/PatientTrends';
import classes from '../ui/patient/patient.module.css';
import { VitalTiles } from '../ui/patient/VitalTiles';
import { useRefetchOnReconnect, useSignedIn } from '../ui/use-signed-in';
import { useTitle } from '../ui/use-title';
import { useVitalsSubscription } from '../ui/vitals/use-patient-vitals';

export function PatientPage() {
  const { patientId } = useParams({ from: '/authenticated/patients/$patientId' });
  // Another patient is another page: nothing of the one before may stay on the screen.
  return <OnePatient key={patientId} id={patientId} />;
}

function OnePatient({ id }: { id: string }) {
  useTitle('Patient');
  const { vitals: feed, may } = useSignedIn();
  const [{ data, error, fetching }, refetch] = useQuery({
    query: PatientDocument,
    variables: { id, withDevices: may('device:read') },
  });
  useRefetchOnReconnect(refetch);
  useVitalsSubscription([id]);
  const patient = data?.patient;

  useEffect(() => {
    if (patient) feed.merge(patient.id, patient);
  }, [feed, patient]);

  return (
    <div className={page.page}>
      {error && <ErrorNotice error={error} retry={refetch} />}
      {!patient && fetching && <Loading rows={6} height={90} label="Loading the patient" />}
      {data && !patient && !error && (
        <>
          <Empty alone title="No such patient">
            The patient was discharged, or is not yours to see.
          </Empty>
          <OpenInEmergency />
        </>
      )}
      {patient && (
        <>
          <OpenedNotice patient={id} />
          <PatientHeader patient={patient} devices={patient.devices ?? []} />
          <VitalTiles patient={patient} />
          <div className={classes.columns}>
            <News2Breakdown patient={patient} />
            <div className={classes.stack}>
              <section className={page.panel}>
                <h2>ECG</h2>
                <EcgStrip patientId={id} />
              </section>
              {may('alarm:read') && <PatientAlarms patientId={id} />}
            </div>
          </div>
          <PatientTrends patientId={id} />
        </>
      )}
    </div>
  );
}
