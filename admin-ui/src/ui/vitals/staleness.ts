import type { Vital } from '../../api/feed/vitals';

type Timed = Pick<Vital, 'stale' | 'measuredAt' | 'receivedAt' | 'staleAfterSeconds'>;

/**
 * A value is stale when the server says so, or when it has grown older than its validity since it came here:
 * a line that has gone quiet must not leave old values looking fresh. The age counts from the earlier of its
 * two times, so that a device whose clock runs ahead hides nothing.
 */
export function isStale({ stale, measuredAt, receivedAt, staleAfterSeconds }: Timed, now: number): boolean {
  const since = Math.min(Date.parse(measuredAt), Date.parse(receivedAt));
  return stale || now - since > staleAfterSeconds * 1_000;
}
