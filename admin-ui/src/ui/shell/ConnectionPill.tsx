import { useCallback } from 'react';
import type { Connection } from '../../api/connection';
import { useStore } from '../../api/store';
import { formatAge } from '../age';
import { useTicking } from '../time';
import { useSignedIn } from '../use-signed-in';
import classes from './connection-pill.module.css';

/** The words of the pill; what is not live says since when, so that nobody takes old values for new. */
export function pillText({ phase, since, heardAt }: Connection, now: number): string {
  switch (phase) {
    case 'live':
      return 'Live';
    case 'connecting':
      return 'Connecting';
    case 'stale':
      return `Stale, nothing heard for ${formatAge(now - (heardAt ?? since))}`;
    case 'reconnecting':
      return `Reconnecting, offline for ${formatAge(now - since)}`;
  }
}

export function ConnectionPill() {
  const connection = useStore(useSignedIn().connection);
  const text = useTicking(useCallback((now: number) => pillText(connection, now), [connection]));
  const [word] = text.split(',');
  return (
    <span className={classes.pill} data-phase={connection.phase}>
      <span className={classes.dot} aria-hidden="true" />
      <span aria-hidden="true">{text}</span>
      {/* Only the change of phase is announced, not every second of it. */}
      <span role="status" className="visually-hidden">
        Connection: {word}
      </span>
    </span>
  );
}
