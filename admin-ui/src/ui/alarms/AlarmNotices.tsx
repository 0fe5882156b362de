import { ActionIcon, Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useStore } from '../../api/store';
import { CloseIcon } from '../icons';
import { PatientName } from '../PatientName';
import { Age } from '../time';
import { useSignedIn } from '../use-signed-in';
import { formatExact, formatUnit } from '../vitals/format';
import { AcknowledgeButton } from './AcknowledgeButton';
import { PriorityMark } from './AlarmMark';
import classes from './alarm-notices.module.css';

const SHOWN = 3;

/**
 * New high alarms, over the corner of any page. They take no focus and block nothing; one stays until it is
 * acknowledged, cleared or put away. The region itself is always there, so that screen readers announce it.
 */
export function AlarmNotices() {
  const { alarms, may } = useSignedIn();
  const { notices } = useStore(alarms);
  const hidden = notices.length - SHOWN;
  return (
    <section
      className={classes.notices}
      aria-label="New alarms"
      aria-live="assertive"
      aria-relevant="additions"
    >
      {notices.slice(0, SHOWN).map((alarm) => (
        <article key={alarm.id} className={classes.notice}>
          <header className={classes.head}>
            <PriorityMark priority={alarm.priority} />
            <strong className={classes.title}>{alarm.title}</strong>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={`Hide the notice: ${alarm.title}`}
              onClick={() => alarms.dismiss(alarm.id)}
            >
              <CloseIcon />
            </ActionIcon>
          </header>
          <p className={classes.line}>
            {alarm.patient ? (
              <Link to="/patients/$patientId" params={{ patientId: alarm.patient.id }}>
                {alarm.patient.ward}, bed {alarm.patient.bed} · <PatientName name={alarm.patient.name} />
              </Link>
            ) : (
              alarm.device?.name
            )}
          </p>
          <footer className={classes.foot}>
            <span>
              {formatExact(alarm.value)} {formatUnit(alarm.unit)} · <Age at={alarm.raisedAt} suffix=" ago" />
            </span>
            {may('alarm:acknowledge') && <AcknowledgeButton alarm={alarm} />}
          </footer>
        </article>
      ))}
      {hidden > 0 && (
        <Button component={Link} to="/alarms" variant="default" size="xs">
          {hidden} more new alarms
        </Button>
      )}
    </section>
  );
}
