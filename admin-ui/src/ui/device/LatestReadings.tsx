import type { DeviceQuery } from '../../api/generated/graphql';
import page from '../page.module.css';
import { Age } from '../time';
import { formatUnit } from '../vitals/format';
import classes from './device.module.css';

type Reading = NonNullable<DeviceQuery['device']>['readings'][number];

export function LatestReadings({ readings }: { readings: readonly Reading[] }) {
  return (
    <section className={page.panel}>
      <h2>Latest readings</h2>
      {readings.length === 0 && <p className={page.note}>This device has not sent a reading yet.</p>}
      {readings.length > 0 && (
        <table className={page.plain}>
          <thead>
            <tr>
              <th scope="col">Path</th>
              <th scope="col">Value</th>
              <th scope="col">Measured</th>
            </tr>
          </thead>
          <tbody>
            {readings.map(({ path, value, unit, measuredAt, modeled }) => (
              <tr key={path}>
                <td>
                  <code className={page.mono}>{path}</code>{' '}
                  {!modeled && (
                    <span className={classes.unmodeled} title="The device's template does not know this path">
                      unmodeled
                    </span>
                  )}
                </td>
                <td>
                  {value} <span className={page.soft}>{formatUnit(unit)}</span>
                </td>
                <td>
                  <Age at={measuredAt} suffix=" ago" />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
