/** Often enough to look immediate, rarely enough that a busy ward does not redraw for every single value. */
const BATCH_MS = 100;

const later = (flush: () => void) => {
  setTimeout(flush, BATCH_MS);
};

/** Returns a function that asks for `flush` to run soon, once for all who ask until then. */
export function batched(flush: () => void, schedule: (flush: () => void) => void = later): () => void {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    schedule(() => {
      waiting = false;
      flush();
    });
  };
}
