import { type EcgBuffer, SHOWN_SECONDS } from './ecg-buffer';

/** The empty stretch before the newest sample, as on a monitor whose trace sweeps over the old one. */
const ERASE_SECONDS = 0.35;
/** Half the height in millivolts; R waves of about 1 to 2 mV fill most of it. */
const TOP_MV = 2;
const BOTTOM_MV = -1;

export interface EcgColours {
  line: string;
  grid: string;
}

/** Draws the last seconds up to the playhead. `width` and `height` are CSS pixels. */
export function drawEcg(
  canvas: CanvasRenderingContext2D,
  buffer: EcgBuffer,
  width: number,
  height: number,
  colours: EcgColours,
): void {
  canvas.clearRect(0, 0, width, height);
  drawGrid(canvas, width, height, colours.grid);
  if (buffer.playhead === null) return;
  const { playhead } = buffer;
  const from = playhead - SHOWN_SECONDS + ERASE_SECONDS;
  const y = (mv: number) => height * (1 - (mv - BOTTOM_MV) / (TOP_MV - BOTTOM_MV));

  canvas.strokeStyle = colours.line;
  canvas.lineWidth = 1.6;
  canvas.lineJoin = 'round';
  canvas.beginPath();
  let previous = { at: Number.NEGATIVE_INFINITY, x: 0 };
  for (const { start, rate, samples } of buffer.chunks) {
    const first = Math.max(0, Math.ceil((from - start) * rate));
    const last = Math.min(samples.length - 1, Math.floor((playhead - start) * rate));
    for (let index = first; index <= last; index += 1) {
      const at = start + index / rate;
      const x = ((at % SHOWN_SECONDS) / SHOWN_SECONDS) * width;
      // Chunks that follow each other are one line; a lost one leaves a gap, and so does the right edge.
      const follows = at - previous.at < 2 / rate && x > previous.x;
      canvas[follows ? 'lineTo' : 'moveTo'](x, y(samples[index] ?? 0));
      previous = { at, x };
    }
  }
  canvas.stroke();
}

/** Large squares of the ECG paper: 0.2 s and 0.5 mV. */
function drawGrid(canvas: CanvasRenderingContext2D, width: number, height: number, colour: string): void {
  canvas.strokeStyle = colour;
  canvas.lineWidth = 1;
  canvas.beginPath();
  for (let at = 0; at <= SHOWN_SECONDS + 1e-6; at += 0.2) {
    const x = Math.round((at / SHOWN_SECONDS) * width) + 0.5;
    canvas.moveTo(x, 0);
    canvas.lineTo(x, height);
  }
  for (let mv = BOTTOM_MV; mv <= TOP_MV; mv += 0.5) {
    const y = Math.round(height * (1 - (mv - BOTTOM_MV) / (TOP_MV - BOTTOM_MV))) + 0.5;
    canvas.moveTo(0, y);
    canvas.lineTo(width, y);
  }
  canvas.stroke();
}
