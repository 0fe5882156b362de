import { Link } from '@tanstack/react-router';
import { useStore } from '../../api/store';
import { sectionsFor } from '../../routes/sections';
import { useSignedIn } from '../use-signed-in';
import classes from './shell.module.css';

export function Navigation() {
  const { viewer } = useSignedIn();
  return (
    <nav className={classes.nav} aria-label="Main">
      {sectionsFor(viewer).map(({ to, label }) => (
        <Link key={to} to={to} className={classes.link ?? ''} activeOptions={{ exact: false }}>
          {label}
          {to === '/alarms' && <UnacknowledgedCount />}
          {to === '/emergency' && <UnreviewedCount />}
          {to === '/elevations' && <WaitingCount />}
        </Link>
      ))}
    </nav>
  );
}

function UnacknowledgedCount() {
  const { unacknowledged } = useStore(useSignedIn().alarms);
  return <Count of={unacknowledged} what="not acknowledged" />;
}

function UnreviewedCount() {
  return <Count of={useStore(useSignedIn().emergencies.unreviewed)} what="not reviewed" />;
}

function WaitingCount() {
  return <Count of={useStore(useSignedIn().operators.waiting)} what="waiting for an answer" />;
}

function Count({ of, what }: { of: number; what: string }) {
  if (of === 0) return null;
  return (
    <span className={classes.count}>
      {of > 99 ? '99+' : of}
      <span className="visually-hidden"> {what}</span>
    </span>
  );
}
