/**
 * The server's time as seen from here. Ages decide whether a value may be believed, so they must not depend
 * on a workstation's clock being right: every answer's `Date` header corrects it.
 */
let skewMs = 0;

/** Below this the difference is the header's one-second grain and the way of the packet, not a wrong clock. */
const TOLERATED_MS = 2_000;

export function now(): number {
  return Date.now() + skewMs;
}

export function learnServerTime(dateHeader: string | null, sentAt: number, receivedAt: number): void {
  if (dateHeader === null) return;
  const server = Date.parse(dateHeader);
  if (Number.isNaN(server)) return;
  // The header is cut to whole seconds, so on average half a second has passed in it.
  const difference = server + 500 - (sentAt + receivedAt) / 2;
  skewMs = Math.abs(difference) > TOLERATED_MS ? difference : 0;
}

/** A heartbeat for everything on the page that grows old; one timer for all. */
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

export function everySecond(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    for (const each of [...listeners]) each();
  }, 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}
