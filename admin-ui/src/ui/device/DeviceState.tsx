import classes from './device.module.css';

interface DeviceStateProps {
  connected: boolean;
  quarantine: string | null;
}

/** In words first; quarantine outweighs the connection, for its readings are not folded. */
export function DeviceState({ connected, quarantine }: DeviceStateProps) {
  const state = quarantine !== null ? 'quarantine' : connected ? 'connected' : 'offline';
  const words = { quarantine: 'In quarantine', connected: 'Connected', offline: 'Not connected' };
  return (
    <span className={classes.state} data-state={state}>
      <span className={classes.dot} aria-hidden="true" />
      {words[state]}
    </span>
  );
}
