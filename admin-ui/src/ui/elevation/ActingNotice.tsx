import { Button } from '@mantine/core';
import { useCallback, useEffect } from 'react';
import { leave } from '../../api/acting';
import { now } from '../../api/clock';
import classes from '../emergency/emergency.module.css';
import { timeLeft } from '../emergency/time-left';
import { useTicking } from '../time';
import { useSignedIn } from '../use-signed-in';

/** Above every page, for as long as an operator acts in a hospital. */
export function ActingNotice() {
  const { viewer } = useSignedIn();
  const { acting, tenant } = viewer;
  const until = Date.parse(acting?.until ?? '');
  const left = useTicking(useCallback((time: number) => timeLeft(until - time), [until]));
  useEffect(() => {
    if (Number.isNaN(until)) return;
    const over = setTimeout(leave, until - now());
    return () => clearTimeout(over);
  }, [until]);
  if (!acting) return null;
  return (
    <section className={classes.banner} aria-label="Operator access">
      <div className={classes.line}>
        <strong>Operator access:</strong>
        <span>
          {acting.grantedBy} has let you into {tenant?.name} as {acting.role}: “{acting.reason}”. Everything
          you read and do is written down.
        </span>
        <span className={classes.left}>{left} left</span>
        <Button size="compact-sm" variant="white" color="red" onClick={leave}>
          Leave
        </Button>
      </div>
    </section>
  );
}
