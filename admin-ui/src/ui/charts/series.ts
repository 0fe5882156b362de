/** Measurements of one sign, oldest first; times in seconds, as uPlot wants them. */
export interface Series {
  readonly at: readonly number[];
  readonly values: readonly number[];
}

export const EMPTY_SERIES: Series = { at: [], values: [] };

export function seriesFrom(points: readonly { at: string; value: number }[]): Series {
  return { at: points.map(({ at }) => Date.parse(at) / 1_000), values: points.map(({ value }) => value) };
}

/** Adds a newer point and lets go what is older than `from`; a point that is not newer changes nothing. */
export function withPoint(series: Series, at: number, value: number, from: number): Series {
  if (at <= (series.at.at(-1) ?? Number.NEGATIVE_INFINITY)) return series;
  const kept = series.at.findIndex((each) => each >= from);
  const start = kept === -1 ? series.at.length : kept;
  return { at: [...series.at.slice(start), at], values: [...series.values.slice(start), value] };
}

/** What came live while the history was on its way belongs behind it. */
export function joined(history: Series, live: Series): Series {
  const end = history.at.at(-1) ?? Number.NEGATIVE_INFINITY;
  const first = live.at.findIndex((each) => each > end);
  if (first === -1) return history;
  return {
    at: [...history.at, ...live.at.slice(first)],
    values: [...history.values, ...live.values.slice(first)],
  };
}

export type Aligned = [number[], ...(number | null)[][]];

/**
 * Several series on one time axis. Between two points further apart than `gapSeconds` stands a null, so that
 * no line is drawn over a time in which nothing was measured.
 */
export function aligned(all: readonly Series[], gapSeconds: number): Aligned {
  const columns = all.map((series) => pointsWithGaps(series, gapSeconds));
  const times = [...new Set(columns.flatMap((column) => [...column.keys()]))].sort((a, b) => a - b);
  // undefined means "this series has no point here" and is drawn over, null is a gap.
  const values = columns.map((column) => times.map((at) => column.get(at) as number | null));
  return [times, ...values];
}

function pointsWithGaps({ at, values }: Series, gapSeconds: number): Map<number, number | null> {
  const points = new Map<number, number | null>();
  at.forEach((time, index) => {
    const before = at[index - 1];
    if (before !== undefined && time - before > gapSeconds) points.set((before + time) / 2, null);
    points.set(time, values[index] ?? null);
  });
  return points;
}
