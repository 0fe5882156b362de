import { Skeleton } from '@mantine/core';
import classes from './feedback.module.css';

/** Grey bars of about the size of what is to come. */
export function Loading({
  rows = 6,
  height = 44,
  label = 'Loading',
}: {
  rows?: number;
  height?: number;
  label?: string;
}) {
  return (
    <div role="status" className={classes.loading}>
      <span className="visually-hidden">{label}…</span>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the bars are all alike and never move.
        <Skeleton key={row} height={height} radius="md" />
      ))}
    </div>
  );
}
