import { useStore } from '../../api/store';
import { Time } from '../time';
import { useSignedIn } from '../use-signed-in';
import classes from './emergency.module.css';

/** On the page of a patient whose record the viewer has opened: why, and until when. */
export function OpenedNotice({ patient }: { patient: string }) {
  const opened = useStore(useSignedIn().emergencies.open).findLast(({ patientId }) => patientId === patient);
  if (!opened) return null;
  return (
    <section className={classes.notice} aria-label="Opened in an emergency">
      <p>
        <strong>You opened this record in an emergency.</strong> It closes by itself at{' '}
        <Time at={opened.until} />. What you read stands in the audit trail with your reason:
      </p>
      <p className={classes.reason}>“{opened.reason}”</p>
    </section>
  );
}
