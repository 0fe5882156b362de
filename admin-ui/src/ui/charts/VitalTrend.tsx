import { type CSSProperties, useMemo } from 'react';
import type { VitalSign } from '../../api/generated/graphql';
import { ErrorNotice } from '../feedback/ErrorNotice';
import { Loading } from '../feedback/Loading';
import { formatNumber } from '../vitals/format';
import type { Line } from './chart-options';
import classes from './charts.module.css';
import { aligned, type Series } from './series';
import { TrendChart } from './TrendChart';
import { MAX_POINTS, useTrend } from './use-trend';

export interface TrendSpec {
  title: string;
  unit: string;
  lines: readonly [TrendLine, ...TrendLine[]];
  /** Longer without a value, and the line is broken. */
  gapSeconds: number;
}
type TrendLine = Line & { sign: VitalSign };

/** The trends of the patient page; both pressures share one chart. */
export const TRENDS: readonly TrendSpec[] = [
  {
    title: 'Heart rate',
    unit: '/min',
    gapSeconds: 60,
    lines: [line('HEART_RATE', 'Heart rate', '--chart-hr')],
  },
  { title: 'SpO₂', unit: '%', gapSeconds: 60, lines: [line('OXYGEN_SATURATION', 'SpO₂', '--chart-spo2')] },
  {
    title: 'Respiration',
    unit: '/min',
    gapSeconds: 60,
    lines: [line('RESPIRATORY_RATE', 'Respiration', '--chart-resp')],
  },
  {
    title: 'Blood pressure',
    unit: 'mmHg',
    gapSeconds: 1_800,
    lines: [
      line('SYSTOLIC_PRESSURE', 'Systolic', '--chart-bp'),
      line('DIASTOLIC_PRESSURE', 'Diastolic', '--chart-bp-2'),
    ],
  },
  {
    title: 'Temperature',
    unit: '°C',
    gapSeconds: 1_800,
    lines: [line('TEMPERATURE', 'Temperature', '--chart-temp', 1)],
  },
];

function line(sign: VitalSign, label: string, colour: string, digits: 0 | 1 = 0): TrendLine {
  return { sign, label, colour, digits };
}

interface VitalTrendProps {
  patientId: string;
  spec: TrendSpec;
  minutes: number;
}

export function VitalTrend({ patientId, spec, minutes }: VitalTrendProps) {
  const [first, second] = spec.lines;
  const a = useTrend(patientId, first.sign, minutes);
  const b = useTrend(patientId, second?.sign ?? null, minutes);
  const used = useMemo(() => (second ? [a.series, b.series] : [a.series]), [a.series, b.series, second]);
  // Thinned history has its own distance between points, which is no gap.
  const gap = Math.max(spec.gapSeconds, (3 * minutes * 60) / MAX_POINTS);
  const data = useMemo(() => aligned(used, gap), [used, gap]);
  const ranges = spec.lines.map(({ digits }, index) => rangeText(used[index], digits));
  const error = a.error ?? b.error;

  return (
    <section className={classes.trend} aria-label={`Trend of ${spec.title}`}>
      <div className={classes.head}>
        {spec.lines.map(({ label, colour }) => (
          <span key={label} className={classes.name}>
            <span className={classes.swatch} style={{ '--line-colour': `var(${colour})` } as CSSProperties} />
            {label}
          </span>
        ))}
        <span className={classes.range}>
          {ranges.filter(Boolean).join(' · ')} {spec.unit}
        </span>
      </div>
      {error !== null && <ErrorNotice error={error} retry={a.retry} />}
      {a.loading && data[0].length === 0 && <Loading rows={1} height={150} label={`Loading ${spec.title}`} />}
      {!a.loading && error === null && data[0].length === 0 && (
        <div className={classes.nothing}>Nothing measured</div>
      )}
      {data[0].length > 0 && (
        <TrendChart
          label={`${spec.title} over the last ${minutes} minutes, ${ranges.join(' and ')} ${spec.unit}`}
          lines={spec.lines}
          data={data}
          minutes={minutes}
        />
      )}
    </section>
  );
}

function rangeText(series: Series | undefined, digits: 0 | 1): string {
  if (!series || series.values.length === 0) return '';
  const lowest = series.values.reduce((a, b) => Math.min(a, b));
  const highest = series.values.reduce((a, b) => Math.max(a, b));
  return `${formatNumber(lowest, digits)} to ${formatNumber(highest, digits)}`;
}
