import { useCallback, useSyncExternalStore } from 'react';
import { everySecond, now } from '../api/clock';
import { formatAge } from './age';
import { formats } from './formats';

/** Date and time as they are written where the hospital is. */
export function formatTime(at: string): string {
  return formats().full.format(Date.parse(at));
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
  const { day, time, full } = formats();
  const date = Date.parse(at);
  const today = day.format(date) === day.format(now());
  return (
    <time dateTime={at} title={formatTime(at)}>
      {(today ? time : full).format(date)}
    </time>
  );
}
