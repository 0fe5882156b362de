import { useComputedColorScheme } from '@mantine/core';
import { useReducedMotion } from '@mantine/hooks';
import { useEffect, useRef, useState } from 'react';
import { now } from '../../api/clock';
import { follow } from '../../api/feed/live';
import { WaveformDocument } from '../../api/generated/graphql';
import { useTicking } from '../time';
import { useSignedIn } from '../use-signed-in';
import classes from './charts.module.css';
import { advanced, bufferEnd, NO_ECG, withChunk } from './ecg-buffer';
import { drawEcg } from './ecg-draw';

/** Longer without samples, and the strip says so instead of standing still. */
const SILENT_AFTER_MS = 5_000;

/** The live ECG of a patient, swept like on a monitor. */
export function EcgStrip({ patientId }: { patientId: string }) {
  const { client } = useSignedIn();
  const canvas = useRef<HTMLCanvasElement>(null);
  const buffer = useRef(NO_ECG);
  const [heardAt, setHeardAt] = useState<number | null>(null);
  const still = useReducedMotion();
  const scheme = useComputedColorScheme('light');

  useEffect(() => {
    buffer.current = NO_ECG;
    return follow(client, WaveformDocument, { patient: patientId }, ({ waveform }) => {
      if (waveform.channel !== 'ecg') return;
      const start = Date.parse(waveform.startedAt) / 1_000;
      buffer.current = withChunk(buffer.current, {
        start,
        rate: waveform.sampleRateHz,
        samples: waveform.samples,
      });
      setHeardAt(now());
    });
  }, [client, patientId]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another scheme has other colours in the same variables.
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (!element || !context) return;
    const style = getComputedStyle(element);
    const colours = {
      line: style.getPropertyValue('--ecg-line'),
      grid: style.getPropertyValue('--ecg-grid'),
    };
    let frame = 0;
    let before = performance.now();
    const draw = (time: number) => {
      const { clientWidth: width, clientHeight: height } = element;
      fitToScreen(element, context, width, height);
      const elapsed = (time - before) / 1_000;
      before = time;
      buffer.current = still
        ? { ...buffer.current, playhead: bufferEnd(buffer.current) }
        : advanced(buffer.current, elapsed);
      drawEcg(context, buffer.current, width, height, colours);
      if (!still) frame = requestAnimationFrame(draw);
    };
    frame = requestAnimationFrame(draw);
    // With reduced motion the strip is drawn once a second, without sweeping.
    const slow = still ? setInterval(() => draw(performance.now()), 1_000) : undefined;
    return () => {
      cancelAnimationFrame(frame);
      clearInterval(slow);
    };
  }, [still, scheme]);

  const silent = useTicking((time) => heardAt === null || time - heardAt > SILENT_AFTER_MS);
  return (
    <div>
      <canvas
        ref={canvas}
        className={classes.ecg}
        role="img"
        aria-label={silent ? 'ECG, no signal' : 'ECG, live'}
      />
      <p className={classes.caption} role="status">
        {silent ? 'No ECG signal' : 'Live. One square is 0.2 s and 0.5 mV.'}
      </p>
    </div>
  );
}

function fitToScreen(
  element: HTMLCanvasElement,
  context: CanvasRenderingContext2D,
  width: number,
  height: number,
) {
  const ratio = window.devicePixelRatio || 1;
  const wanted = { width: Math.round(width * ratio), height: Math.round(height * ratio) };
  if (element.width === wanted.width && element.height === wanted.height) return;
  element.width = wanted.width;
  element.height = wanted.height;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
}
