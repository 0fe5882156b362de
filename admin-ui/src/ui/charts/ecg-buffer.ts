/** A run of samples without a break. Times in seconds. */
export interface Chunk {
  start: number;
  rate: number;
  samples: readonly number[];
}

export interface EcgBuffer {
  chunks: readonly Chunk[];
  /** The time that is drawn last; what is newer waits for its turn, so that the trace runs evenly. */
  playhead: number | null;
}

export const SHOWN_SECONDS = 6;
/** Further behind than this the strip jumps instead of showing a heart of the past. */
const TOO_FAR_BEHIND = 4;

export const NO_ECG: EcgBuffer = { chunks: [], playhead: null };

export function chunkEnd({ start, rate, samples }: Chunk): number {
  return start + samples.length / rate;
}

export function bufferEnd({ chunks }: EcgBuffer): number | null {
  const last = chunks.at(-1);
  return last ? chunkEnd(last) : null;
}

/** Takes a chunk in; one that is not newer, empty or without a rate is left out. */
export function withChunk(buffer: EcgBuffer, chunk: Chunk): EcgBuffer {
  if (chunk.samples.length === 0 || !(chunk.rate > 0)) return buffer;
  const last = buffer.chunks.at(-1);
  if (last && chunk.start <= last.start) return buffer;
  const oldest = chunkEnd(chunk) - 2 * SHOWN_SECONDS;
  const chunks = [...buffer.chunks.filter((each) => chunkEnd(each) > oldest), chunk];
  return { chunks, playhead: buffer.playhead ?? chunk.start };
}

/** Lets the playhead run with the clock; it waits where samples end, and jumps when it fell too far behind. */
export function advanced(buffer: EcgBuffer, elapsedSeconds: number): EcgBuffer {
  const end = bufferEnd(buffer);
  if (end === null || buffer.playhead === null) return buffer;
  const behind = end - buffer.playhead;
  const playhead = behind > TOO_FAR_BEHIND ? end - 1 : Math.min(end, buffer.playhead + elapsedSeconds);
  return { ...buffer, playhead };
}
