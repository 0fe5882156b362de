import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useCallback } from 'react';
import { useMutation } from 'urql';
import type { OpenRecord } from '../../api/emergencies';
import { CloseRecordDocument } from '../../api/generated/graphql';
import { useStore } from '../../api/store';
import { ErrorNotice } from '../feedback/ErrorNotice';
import { PatientName } from '../PatientName';
import { useTicking } from '../time';
import { useSignedIn } from '../use-signed-in';
import classes from './emergency.module.css';
import { timeLeft } from './time-left';

/** Above every page, for as long as the viewer has a record open that is otherwise none of theirs. */
export function OpenRecords() {
  const { emergencies } = useSignedIn();
  const open = useStore(emergencies.open);
  return (
    <section className={classes.banner} aria-label="Emergency access" aria-live="polite">
      {open.map((record) => (
        <OneOpen key={record.id} record={record} />
      ))}
    </section>
  );
}

function OneOpen({ record }: { record: OpenRecord }) {
  const { emergencies } = useSignedIn();
  const [{ fetching, error }, close] = useMutation(CloseRecordDocument);
  const left = useTicking(
    useCallback((now: number) => timeLeft(Date.parse(record.until) - now), [record.until]),
  );
  return (
    <div className={classes.line}>
      <strong>Emergency access:</strong>
      <span>
        <Link to="/patients/$patientId" params={{ patientId: record.patientId }}>
          {record.patient ? (
            <>
              <PatientName name={record.patient.name} />, {record.patient.ward}, bed {record.patient.bed}
            </>
          ) : (
            'a record'
          )}
        </Link>{' '}
        is open to you. Everything you read is written down and will be reviewed.
      </span>
      {/* Not announced every second. */}
      <span className={classes.left} aria-live="off">
        {left} left
      </span>
      <Button
        size="compact-sm"
        variant="white"
        color="red"
        loading={fetching}
        onClick={async () => {
          await close({ id: record.id });
          await emergencies.load().catch(() => {});
        }}
      >
        Close record
      </Button>
      {error && <ErrorNotice error={error} />}
    </div>
  );
}
