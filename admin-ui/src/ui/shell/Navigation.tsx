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
        </Link>
      ))}
    </nav>
  );
}

function UnacknowledgedCount() {
  const { unacknowledged } = useStore(useSignedIn().alarms);
  if (unacknowledged === 0) return null;
  return (
    <span className={classes.count}>
      {unacknowledged > 99 ? '99+' : unacknowledged}
      <span className="visually-hidden"> not acknowledged</span>
    </span>
  );
}
