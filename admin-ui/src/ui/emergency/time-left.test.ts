import { expect, it } from 'vitest';
import { timeLeft } from './time-left';

it.each([
  [60 * 60_000, '60:00'],
  [59_001, '1:00'],
  [9_000, '0:09'],
  [1, '0:01'],
  [0, '0:00'],
  [-5_000, '0:00'],
])('%d ms left are %s', (ms, text) => {
  expect(timeLeft(ms)).toBe(text);
});
