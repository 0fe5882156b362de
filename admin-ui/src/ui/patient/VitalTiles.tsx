import { useCallback } from 'react';
import type { Vital } from '../../api/feed/vitals';
import type { PatientOnBoardFragment } from '../../api/generated/graphql';
import { Age, useTicking } from '../time';
import { formatUnit, formatVital } from '../vitals/format';
import { isStale } from '../vitals/staleness';
import { usePatientVitals } from '../vitals/use-patient-vitals';
import classes from './patient.module.css';

const ORDER: readonly Vital['sign'][] = [
  'HEART_RATE',
  'OXYGEN_SATURATION',
  'RESPIRATORY_RATE',
  'SYSTOLIC_PRESSURE',
  'DIASTOLIC_PRESSURE',
  'TEMPERATURE',
  'SUPPLEMENTAL_OXYGEN',
  'CONSCIOUSNESS',
];

export function VitalTiles({ patient }: { patient: PatientOnBoardFragment }) {
  const { bySign } = usePatientVitals(patient.id, patient);
  const known = ORDER.flatMap((sign) => bySign.get(sign) ?? []);
  if (known.length === 0) return <p className={classes.line}>Nothing has been measured yet.</p>;
  return (
    <dl className={classes.tiles} aria-label="Vital signs">
      {known.map((vital) => (
        <Tile key={vital.sign} vital={vital} />
      ))}
    </dl>
  );
}

function Tile({ vital }: { vital: Vital }) {
  const stale = useTicking(useCallback((now: number) => isStale(vital, now), [vital]));
  return (
    <div className={classes.tile} data-stale={stale || undefined} data-sign={vital.sign}>
      <dt>{vital.label}</dt>
      <dd>
        <span className={classes.value} data-word={vital.value === null || undefined}>
          {formatVital(vital)}
        </span>
        {vital.unit && <span className={classes.unit}>{formatUnit(vital.unit)}</span>}
        <div className={classes.measured}>
          {stale && 'stale, '}
          <Age at={vital.measuredAt} suffix=" ago" />
        </div>
      </dd>
    </div>
  );
}
