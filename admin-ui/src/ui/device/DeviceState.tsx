import classes from './device.module.css';

interface DeviceStateProps {
  connected: boolean;
  quarantine: string | null;
  blockedSince: string | null;
}

/** In words first; what somebody has to do something about outweighs the connection. */
export function DeviceState({ connected, quarantine, blockedSince }: DeviceStateProps) {
  const open = connected ? 'connected' : 'offline';
  const state = quarantine !== null ? 'quarantine' : blockedSince !== null ? 'blocked' : open;
  const words = {
    quarantine: 'In quarantine',
    blocked: 'Blocked',
    connected: 'Connected',
    offline: 'Not connected',
  };
  return (
    <span className={classes.state} data-state={state}>
      <span className={classes.dot} aria-hidden="true" />
      {words[state]}
    </span>
  );
}
