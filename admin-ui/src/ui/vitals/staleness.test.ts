import { describe, expect, it } from 'vitest';
import { at, NOON, vital } from '../../test/samples';
import { isStale } from './staleness';

describe('isStale', () => {
  it.each([
    ['fresh', false, 0, false],
    ['at the very end of its validity', false, 60_000, false],
    ['a moment later', false, 60_001, true],
    ['called stale by the server', true, 0, true],
    ['from a clock that is ahead', false, -5_000, false],
  ])('%s', (_, stale, age, expected) => {
    expect(isStale(vital('HEART_RATE', { stale, staleAfterSeconds: 60 }), NOON + age)).toBe(expected);
  });

  it('is not hidden by a device whose clock runs ahead', () => {
    const ahead = vital('HEART_RATE', { measuredAt: at(86_400), receivedAt: at(0), staleAfterSeconds: 60 });
    expect(isStale(ahead, NOON + 61_000)).toBe(true);
  });
});
