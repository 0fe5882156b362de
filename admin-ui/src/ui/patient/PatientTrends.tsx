import { SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import charts from '../charts/charts.module.css';
import { TRENDS, VitalTrend } from '../charts/VitalTrend';
import page from '../page.module.css';
import classes from './patient.module.css';

const WINDOWS = [
  { value: '10', label: '10 min' },
  { value: '30', label: '30 min' },
  { value: '120', label: '2 h' },
  { value: '720', label: '12 h' },
];

export function PatientTrends({ patientId }: { patientId: string }) {
  const [minutes, setMinutes] = useState('30');
  return (
    <section className={page.panel}>
      <div className={classes.panelHead}>
        <h2>Trends</h2>
        <SegmentedControl
          size="xs"
          aria-label="Time shown"
          value={minutes}
          onChange={setMinutes}
          data={WINDOWS}
        />
      </div>
      <div className={charts.trends}>
        {TRENDS.map((spec) => (
          <VitalTrend key={spec.title} patientId={patientId} spec={spec} minutes={Number(minutes)} />
        ))}
      </div>
    </section>
  );
}
