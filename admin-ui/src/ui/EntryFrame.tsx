import type { ReactNode } from 'react';
import classes from './entry-frame.module.css';
import { PulseIcon } from './icons';

/** The quiet frame of the pages before signing in. */
export function EntryFrame({ title, line, children }: { title: string; line: string; children: ReactNode }) {
  return (
    <main className={classes.entry}>
      <div className={classes.card}>
        <span className={classes.mark}>
          <PulseIcon size={30} />
        </span>
        <h1>{title}</h1>
        <p>{line}</p>
        {children}
      </div>
    </main>
  );
}
