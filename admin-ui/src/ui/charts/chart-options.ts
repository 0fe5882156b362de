import type uPlot from 'uplot';
import { now } from '../../api/clock';
import { formats } from '../formats';

export interface Line {
  label: string;
  /** A CSS variable of the palette, e.g. `--chart-hr`. */
  colour: string;
  digits: 0 | 1;
}

const FONT = '11px system-ui, sans-serif';

/** How far the value axis reaches beyond the values, and the least it spans, so that noise stays small. */
const MARGIN = 0.1;
const LEAST_SPAN = 6;
const VALUE_STEPS = [1, 2, 5, 10, 20, 50, 100];

export function chartOptions(
  lines: readonly Line[],
  minutes: number,
  width: number,
  height: number,
  style: CSSStyleDeclaration,
): uPlot.Options {
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour('--ink-soft'),
    font: FONT,
    grid: { stroke: colour('--chart-grid'), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height,
    legend: { show: false },
    padding: [8, 8, 0, 0],
    cursor: { sync: { key: 'trends' }, drag: { x: false, y: false }, points: { size: 6 } },
    scales: {
      x: {
        time: true,
        auto: false,
        range: (_, min, max) => [min, max],
        min: now() / 1_000 - minutes * 60,
        max: now() / 1_000,
      },
      y: { range: (_, min, max) => valueRange(min, max) },
    },
    axes: [
      {
        ...axis,
        space: 70,
        size: 26,
        values: (_, times) => times.map((at) => formats().clock.format(at * 1_000)),
      },
      { ...axis, space: 30, size: 42, incrs: VALUE_STEPS },
    ],
    series: [
      {},
      ...lines.map(({ label, colour: name }) => ({
        label,
        stroke: colour(name),
        width: 1.75,
        // Where they lie far enough apart: a pressure is taken every few minutes, and one value is no line.
        points: { size: 5, width: 0, fill: colour(name) },
        spanGaps: false,
      })),
    ],
  };
}

export function valueRange(min: number | null, max: number | null): [number, number] {
  if (min === null || max === null) return [0, 100];
  const middle = (min + max) / 2;
  const half = Math.max((max - min) * (0.5 + MARGIN), LEAST_SPAN / 2);
  return [middle - half, middle + half];
}
