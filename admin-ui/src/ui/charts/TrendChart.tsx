import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { everySecond, now } from '../../api/clock';
import { chartOptions, type Line } from './chart-options';
import classes from './charts.module.css';
import type { Aligned } from './series';

export interface TrendChartProps {
  /** Read out in place of the picture. */
  label: string;
  lines: readonly Line[];
  data: Aligned;
  minutes: number;
  height?: number;
}

/** A line chart whose right edge is now. uPlot draws on a canvas; React only hands it the data. */
export function TrendChart({ label, lines, data, minutes, height = 150 }: TrendChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const newest = useRef(data);
  newest.current = data;
  const scheme = useComputedColorScheme('light');
  const shape = JSON.stringify(lines);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another scheme has other colours in the same variables.
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const width = () => Math.max(element.clientWidth, 160);
    const options = chartOptions(
      JSON.parse(shape) as Line[],
      minutes,
      width(),
      height,
      getComputedStyle(element),
    );
    const made = new uPlot(options, newest.current as uPlot.AlignedData, element);
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: width(), height }));
    resized.observe(element);
    const stop = everySecond(() => {
      const to = now() / 1_000;
      made.setScale('x', { min: to - minutes * 60, max: to });
    });
    return () => {
      stop();
      resized.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, minutes, height, scheme]);

  useEffect(() => plot.current?.setData(data as uPlot.AlignedData), [data]);

  return <div ref={host} role="img" aria-label={label} className={classes.chart} />;
}
