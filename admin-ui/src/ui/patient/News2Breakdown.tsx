import type { PatientOnBoardFragment } from '../../api/generated/graphql';
import page from '../page.module.css';
import { Age } from '../time';
import { displayNews2, news2Sentence } from '../vitals/news2';
import { usePatientVitals } from '../vitals/use-patient-vitals';
import classes from './patient.module.css';

/** Where the score comes from: each parameter's points, why, and how old the value behind it is. */
export function News2Breakdown({ patient }: { patient: PatientOnBoardFragment }) {
  const { bySign, news2 } = usePatientVitals(patient.id, patient);
  return (
    <section className={page.panel}>
      <h2>NEWS2</h2>
      <p className={page.note}>
        {news2Sentence(displayNews2(news2))}. SpO₂ scale {news2.spo2Scale}.
      </p>
      <table className={page.plain}>
        <thead>
          <tr>
            <th scope="col">Parameter</th>
            <th scope="col">Points</th>
            <th scope="col">Reason</th>
            <th scope="col">Age</th>
          </tr>
        </thead>
        <tbody>
          {news2.parameters.map(({ sign, label, points, reason }) => {
            const measuredAt = bySign.get(sign)?.measuredAt;
            return (
              <tr key={sign}>
                <td>{label}</td>
                <td>
                  {points === null ? (
                    <span className={page.soft}>missing</span>
                  ) : (
                    <span className={classes.points} data-points={points}>
                      {points}
                    </span>
                  )}
                </td>
                <td className={page.soft}>{reason}</td>
                <td>{measuredAt ? <Age at={measuredAt} /> : <span className={page.soft}>never</span>}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}
