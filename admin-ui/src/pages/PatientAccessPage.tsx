import { Button, Select } from '@mantine/core';
import { Link, useParams } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { useQuery } from 'urql';
import { now } from '../api/clock';
import { PatientNameDocument } from '../api/generated/graphql';
import { AccessTable } from '../ui/access/AccessTable';
import { loadReport, type WholeReport } from '../ui/access/load-report';
import { csvOf, reportOf } from '../ui/access/report';
import { Empty } from '../ui/feedback/Empty';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { Loading } from '../ui/feedback/Loading';
import { BackIcon } from '../ui/icons';
import { PatientName } from '../ui/PatientName';
import page from '../ui/page.module.css';
import { formatTime } from '../ui/time';
import { useSignedIn } from '../ui/use-signed-in';
import { useTitle } from '../ui/use-title';

const DAY_MS = 24 * 60 * 60_000;
const PERIODS = [
  { value: '7', label: 'The last 7 days' },
  { value: '30', label: 'The last 30 days' },
  { value: '365', label: 'The last year' },
  { value: 'all', label: 'From the beginning' },
];

/** Who saw a patient's record, in words that can be handed to the patient. */
export function PatientAccessPage() {
  const { patientId } = useParams({ from: '/authenticated/patients/$patientId/access' });
  return <Report key={patientId} patient={patientId} />;
}

function Report({ patient }: { patient: string }) {
  useTitle('Who saw this record');
  const [days, setDays] = useState('30');
  const { report, error, load } = useReport(patient, days);
  const lines = useMemo(() => report && reportOf(report.rows), [report]);
  return (
    <div className={page.page}>
      <div className={page.head}>
        <h1>Who saw this record</h1>
        <WhoseRecord patient={patient} />
        <span className={page.spacer} />
        <Select
          className="no-print"
          aria-label="Period"
          size="xs"
          allowDeselect={false}
          data={PERIODS}
          value={days}
          onChange={(chosen) => setDays(chosen ?? '30')}
        />
        <Button className="no-print" size="xs" variant="default" onClick={() => window.print()}>
          Print
        </Button>
        <Button
          className="no-print"
          size="xs"
          variant="default"
          disabled={!lines || lines.length === 0}
          onClick={() => download(csvOf(lines ?? []))}
        >
          Download CSV
        </Button>
      </div>
      <p className={page.note}>
        {PERIODS.find(({ value }) => value === days)?.label}, as of{' '}
        {formatTime(new Date(now()).toISOString())}. What the same person looked at within a few minutes is
        one line. A board that stays open is told of once an hour.
      </p>
      {error !== null && <ErrorNotice error={error} retry={load} />}
      {!report && error === null && <Loading rows={6} label="Loading the report" />}
      {report && !report.complete && (
        <p role="alert">This is not everything: choose a shorter period for the rest.</p>
      )}
      {lines?.length === 0 && <Empty title="Nobody saw this record in this period" />}
      {lines && lines.length > 0 && <AccessTable lines={lines} />}
    </div>
  );
}

/** Auditors see no patients: for them the record has no name. */
function WhoseRecord({ patient }: { patient: string }) {
  const { may } = useSignedIn();
  const [{ data }] = useQuery({
    query: PatientNameDocument,
    variables: { id: patient },
    pause: !may('patient:read'),
  });
  if (!data?.patient) return <span className={`${page.note} ${page.mono}`}>{patient}</span>;
  const { name, mrn } = data.patient;
  return (
    <>
      <span>
        <PatientName name={name} /> {mrn !== null && <span className={page.soft}>MRN {mrn}</span>}
      </span>
      <Link to="/patients/$patientId" params={{ patientId: patient }} className={`${page.back} no-print`}>
        <BackIcon /> Patient
      </Link>
    </>
  );
}

function useReport(patient: string, days: string) {
  const { client } = useSignedIn();
  const [report, setReport] = useState<WholeReport | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [round, setRound] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another round is the same question again.
  useEffect(() => {
    let wanted = true;
    setReport(null);
    setError(null);
    const since = days === 'all' ? null : new Date(now() - Number(days) * DAY_MS).toISOString();
    loadReport(client, patient, since).then(
      (loaded) => wanted && setReport(loaded),
      (problem: unknown) => wanted && setError(problem),
    );
    return () => {
      wanted = false;
    };
  }, [client, patient, days, round]);
  const load = useCallback(() => setRound((before) => before + 1), []);
  return { report, error, load };
}

function download(text: string) {
  // Spreadsheets take a file for UTF-8 only when it says so.
  const file = URL.createObjectURL(new Blob(['\uFEFF', text], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = file;
  link.download = 'who-saw-this-record.csv';
  link.click();
  URL.revokeObjectURL(file);
}
