import { Button } from '@mantine/core';
import { useState } from 'react';
import { OpenRecordForm } from '../../forms/OpenRecordForm';
import page from '../page.module.css';
import { useSignedIn } from '../use-signed-in';

/** Where somebody looks for a patient in vain: the way past one's own rows, for those who have it. */
export function OpenInEmergency({ mrn = '' }: { mrn?: string }) {
  const { may } = useSignedIn();
  const [asking, setAsking] = useState(false);
  if (!may('patient:break_glass')) return null;
  if (!asking) {
    return (
      <div className={page.centred}>
        <Button color="red" variant="outline" onClick={() => setAsking(true)}>
          Open in an emergency
        </Button>
      </div>
    );
  }
  return (
    <section className={page.panel} aria-label="Open a record in an emergency">
      <h2>Open a record in an emergency</h2>
      <OpenRecordForm mrn={mrn} onCancel={() => setAsking(false)} />
    </section>
  );
}
