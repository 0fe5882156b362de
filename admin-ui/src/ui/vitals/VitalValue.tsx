import { useCallback } from 'react';
import type { Vital } from '../../api/feed/vitals';
import { Age, useTicking } from '../time';
import { formatUnit, formatVital, SHORT_LABELS } from './format';
import { isStale } from './staleness';
import classes from './vital-value.module.css';

/** One value in a cell. A stale one is grey, says so, and shows how old it is; a missing one is a dash. */
export function VitalValue({ vital, second }: { vital: Vital | undefined; second?: Vital | undefined }) {
  const stale = useTicking(useCallback((now: number) => vital !== undefined && isStale(vital, now), [vital]));
  if (!vital) {
    return (
      <span className={classes.none}>
        <span aria-hidden="true">–</span>
        <span className="visually-hidden">no value</span>
      </span>
    );
  }
  const text = second ? `${formatVital(vital)}/${formatVital(second)}` : formatVital(vital);
  const title = `${vital.label}: ${text} ${formatUnit(vital.unit)}`;
  return (
    <span className={classes.vital} data-stale={stale || undefined} data-sign={vital.sign} title={title}>
      <span className={vital.code === null ? classes.number : classes.word}>{text}</span>
      {stale ? (
        <span className={classes.age}>
          <span className="visually-hidden">stale, </span>
          <Age at={vital.measuredAt} suffix=" ago" />
        </span>
      ) : (
        <span className={classes.unit}>{formatUnit(vital.unit)}</span>
      )}
    </span>
  );
}

export function vitalHeading(sign: Vital['sign']): string {
  return sign === 'SYSTOLIC_PRESSURE' ? 'BP' : SHORT_LABELS[sign];
}
