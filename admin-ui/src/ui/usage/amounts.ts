import { formats } from '../formats';

/** "1,234,567", as it is written where the hospital is. */
export const counted = (amount: number): string => formats().count.format(amount);

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** "3.2 MB". */
export function bytesInWords(bytes: number): string {
  let [amount, unit] = [bytes, 0];
  while (amount >= 1_000 && unit < UNITS.length - 1) [amount, unit] = [amount / 1_000, unit + 1];
  const digits = unit === 0 || amount >= 100 ? 0 : 1;
  return `${amount.toFixed(digits)} ${UNITS[unit]}`;
}

/** How much of a quota is in use, 0 to 100. */
export const percentOf = (used: number, most: number): number => Math.min(100, (used / most) * 100);

/** From here on somebody should do something about it. */
export const NEARLY_USED = 90;
