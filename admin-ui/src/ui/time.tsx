import { useCallback, useSyncExternalStore } from 'react';
import { everySecond, now } from '../api/clock';
import { formatAge } from './age';

const withSeconds = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const timeOnly = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

/** Date and time as the viewer's locale writes them. */
export function formatTime(at: string): string {
  return withSeconds.format(Date.parse(at));
}

/** A value that depends on the time of day; the component is drawn again only when it changes. */
export function useTicking<T extends string | number | boolean>(read: (now: number) => T): T {
  return useSyncExternalStore(
    everySecond,
    useCallback(() => read(now()), [read]),
  );
}

/** How long ago something was, ticking; the exact time stands in the tooltip. */
export function Age({ at, suffix = '' }: { at: string; suffix?: string }) {
  const text = useTicking(useCallback((time: number) => formatAge(time - Date.parse(at)), [at]));
  return (
    <time dateTime={at} title={formatTime(at)}>
      {text}
      {suffix}
    </time>
  );
}

/** A point in time: today without its date. */
export function Time({ at }: { at: string }) {
  const date = new Date(at);
  const today = date.toDateString() === new Date(now()).toDateString();
  return (
    <time dateTime={at} title={formatTime(at)}>
      {(today ? timeOnly : withSeconds).format(date)}
    </time>
  );
}
