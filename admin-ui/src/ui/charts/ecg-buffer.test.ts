import { describe, expect, it } from 'vitest';
import { advanced, bufferEnd, NO_ECG, SHOWN_SECONDS, withChunk } from './ecg-buffer';

const chunk = (start: number, seconds = 1, rate = 100) => ({
  start,
  rate,
  samples: Array.from({ length: seconds * rate }, () => 0),
});

describe('the ECG buffer', () => {
  it('starts with its first chunk and keeps no more than it may show', () => {
    let buffer = withChunk(NO_ECG, chunk(100));
    expect(buffer.playhead).toBe(100);
    for (let start = 101; start < 200; start += 1) buffer = withChunk(buffer, chunk(start));
    expect(buffer.chunks.length).toBeLessThanOrEqual(2 * SHOWN_SECONDS + 1);
    expect(bufferEnd(buffer)).toBe(200);
  });

  it.each([
    ['late', chunk(99)],
    ['repeated', chunk(100)],
    ['empty', chunk(101, 0)],
    ['without a rate', { start: 101, rate: 0, samples: [1] }],
    ['with a rate that is no number', { start: 101, rate: Number.NaN, samples: [1] }],
  ])('leaves out a chunk that is %s', (_, bad) => {
    const buffer = withChunk(NO_ECG, chunk(100));
    expect(withChunk(buffer, bad)).toBe(buffer);
  });

  it('plays evenly, waits at the end and jumps when far behind', () => {
    let buffer = withChunk(NO_ECG, chunk(100));
    buffer = advanced(buffer, 0.25);
    expect(buffer.playhead).toBe(100.25);
    buffer = advanced(buffer, 60);
    expect(buffer.playhead).toBe(101);
    buffer = advanced(withChunk(buffer, chunk(110)), 0.02);
    expect(buffer.playhead).toBe(110);
    expect(advanced(NO_ECG, 1)).toBe(NO_ECG);
  });
});
