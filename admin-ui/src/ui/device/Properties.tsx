import { Button } from '@mantine/core';
import { useState } from 'react';
import type { DeviceQuery } from '../../api/generated/graphql';
import { DesiredPropertiesForm } from '../../forms/DesiredPropertiesForm';
import page from '../page.module.css';
import { useSignedIn } from '../use-signed-in';
import { type DeviceProperties, propertyRows, standing } from './property-rows';

interface PropertiesProps {
  deviceId: string;
  properties: NonNullable<DeviceQuery['device']>['properties'];
  onChanged: () => void;
}

/** What the device is to be like beside what it says that it is like. */
export function Properties({ deviceId, properties, onChanged }: PropertiesProps) {
  const { may } = useSignedIn();
  const [changing, setChanging] = useState(false);
  return (
    <section className={page.panel} aria-label="Properties">
      <div className={page.head}>
        <h2>Properties</h2>
        <span className={page.spacer} />
        {may('device:write') && properties && !changing && (
          <Button size="compact-xs" variant="default" onClick={() => setChanging(true)}>
            Change them
          </Button>
        )}
      </div>
      {properties ? (
        <Table properties={properties} />
      ) : (
        <p className={page.note}>They may name the patient, so they are not shown to you.</p>
      )}
      {changing && (
        <DesiredPropertiesForm
          deviceId={deviceId}
          onDone={(changed) => {
            setChanging(false);
            if (changed) onChanged();
          }}
        />
      )}
    </section>
  );
}

function Table({ properties }: { properties: DeviceProperties }) {
  const rows = propertyRows(properties);
  return (
    <>
      <p className={page.note}>{standing(properties)}</p>
      {rows.length > 0 && (
        <table className={page.plain} aria-label="Properties">
          <thead>
            <tr>
              <th scope="col">Property</th>
              <th scope="col">Is to be</th>
              <th scope="col">The device says</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ name, desired, reported }) => (
              <tr key={name}>
                <td className={page.mono}>{name}</td>
                <td className={page.mono}>{desired}</td>
                <td className={page.mono}>{reported}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}
