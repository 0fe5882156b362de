import { describe, expect, it } from 'vitest';
import { bytesInWords, percentOf } from './amounts';

describe('an amount', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1.0 kB'],
    [123_456, '123 kB'],
    [3_240_000, '3.2 MB'],
    [8_000_000_000_000_000, '8000 TB'],
  ])('of %i bytes is %s', (bytes, said) => {
    expect(bytesInWords(bytes)).toBe(said);
  });

  it('is never more than all of it', () => {
    expect(percentOf(5, 10)).toBe(50);
    expect(percentOf(25, 10)).toBe(100);
  });
});
