import { describe, expect, it } from 'vitest';
import { aligned, EMPTY_SERIES, joined, withPoint } from './series';

const series = (...points: [number, number][]) => ({
  at: points.map(([at]) => at),
  values: points.map(([, value]) => value),
});

describe('a series', () => {
  it('takes newer points, lets old ones go, and ignores late ones', () => {
    const one = withPoint(series([1, 10], [2, 20]), 3, 30, 2);
    expect(one).toEqual(series([2, 20], [3, 30]));
    expect(withPoint(one, 3, 99, 0)).toBe(one);
    expect(withPoint(one, 2.5, 99, 0)).toBe(one);
    expect(withPoint(one, 100, 1, 50)).toEqual(series([100, 1]));
    expect(withPoint(EMPTY_SERIES, 1, 1, 0)).toEqual(series([1, 1]));
  });

  it('puts behind the history what came live while it was loading, once', () => {
    expect(joined(series([1, 1], [2, 2]), series([2, 2], [3, 3]))).toEqual(series([1, 1], [2, 2], [3, 3]));
    expect(joined(series([1, 1]), EMPTY_SERIES)).toEqual(series([1, 1]));
    expect(joined(EMPTY_SERIES, series([3, 3]))).toEqual(series([3, 3]));
  });
});

describe('aligned', () => {
  it('breaks the line where nothing was measured for long', () => {
    expect(aligned([series([0, 1], [10, 2], [100, 3])], 60)).toEqual([
      [0, 10, 55, 100],
      [1, 2, null, 3],
    ]);
  });

  it('tells a gap from a time that only the other series has', () => {
    const [times, a, b] = aligned([series([0, 1], [10, 2]), series([5, 7])], 60);
    expect(times).toEqual([0, 5, 10]);
    expect(a).toEqual([1, undefined, 2]);
    expect(b).toEqual([undefined, 7, undefined]);
  });
});
