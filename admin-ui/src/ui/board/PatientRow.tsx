import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Alarm } from '../../api/feed/alarms';
import type { PatientOnBoardFragment } from '../../api/generated/graphql';
import { OpenAlarmMark } from '../alarms/AlarmMark';
import { PatientName } from '../PatientName';
import { useSignedIn } from '../use-signed-in';
import { News2Badge } from '../vitals/News2Badge';
import { usePatientVitals } from '../vitals/use-patient-vitals';
import { VitalValue } from '../vitals/VitalValue';
import classes from './board.module.css';

export const BOARD_COLUMNS = [
  'Bed',
  'Patient',
  'NEWS2',
  'HR',
  'SpO₂',
  'Resp',
  'BP',
  'Temp',
  'O₂',
  'ACVPU',
  'Open alarms',
];

export function PatientRow({
  patient,
  alarms,
}: {
  patient: PatientOnBoardFragment;
  alarms: readonly Alarm[];
}) {
  const { bySign, news2 } = usePatientVitals(patient.id, patient);
  return (
    <>
      <Cell label="Bed">
        <span className={classes.bed}>{patient.bed}</span>
      </Cell>
      <Cell label="Patient">
        <Link to="/patients/$patientId" params={{ patientId: patient.id }} className={classes.patient}>
          <PatientName name={patient.name} />
        </Link>
      </Cell>
      <Cell label="NEWS2">
        <News2Badge news2={news2} />
      </Cell>
      <Cell label="HR">
        <VitalValue vital={bySign.get('HEART_RATE')} />
      </Cell>
      <Cell label="SpO₂">
        <VitalValue vital={bySign.get('OXYGEN_SATURATION')} />
      </Cell>
      <Cell label="Resp">
        <VitalValue vital={bySign.get('RESPIRATORY_RATE')} />
      </Cell>
      <Cell label="BP">
        <VitalValue vital={bySign.get('SYSTOLIC_PRESSURE')} second={bySign.get('DIASTOLIC_PRESSURE')} />
      </Cell>
      <Cell label="Temp">
        <VitalValue vital={bySign.get('TEMPERATURE')} />
      </Cell>
      <Cell label="O₂">
        <VitalValue vital={bySign.get('SUPPLEMENTAL_OXYGEN')} />
      </Cell>
      <Cell label="ACVPU">
        <VitalValue vital={bySign.get('CONSCIOUSNESS')} />
      </Cell>
      <Cell label="Open alarms">
        <OpenAlarms alarms={alarms} />
      </Cell>
    </>
  );
}

/** Whoever may not see alarms must not read an empty place as "no alarm". */
function OpenAlarms({ alarms }: { alarms: readonly Alarm[] }) {
  if (!useSignedIn().may('alarm:read')) return <span className={classes.hidden}>not shown to you</span>;
  if (alarms.length === 0) return <span className="visually-hidden">none</span>;
  return <OpenAlarmMark alarms={alarms} />;
}

/** On a narrow screen the row becomes a card, and its cells carry their headings themselves. */
function Cell({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div role="cell" className={classes.cell} data-label={label}>
      {children}
    </div>
  );
}
