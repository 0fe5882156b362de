import { describe, expect, it } from 'vitest';
import { vital } from '../../test/samples';
import { formatAge } from '../age';
import { formatExact, formatUnit, formatVital } from './format';

describe('formatVital', () => {
  it.each([
    [vital('HEART_RATE', { value: 71.6 }), '72'],
    [vital('TEMPERATURE', { value: 38 }), '38.0'],
    [vital('HEART_RATE', { value: null }), '–'],
    [vital('CONSCIOUSNESS', { value: null, code: 'C' }), 'New confusion'],
    [vital('CONSCIOUSNESS', { value: null, code: 'X' }), 'X'],
    [vital('SUPPLEMENTAL_OXYGEN', { value: null, code: 'true' }), 'Oxygen'],
    [vital('SUPPLEMENTAL_OXYGEN', { value: null, code: 'air' }), 'Air'],
    [vital('SUPPLEMENTAL_OXYGEN', { value: 1 }), 'Oxygen'],
    [vital('SUPPLEMENTAL_OXYGEN', { value: null }), '–'],
  ])('%#: %s', (given, text) => {
    expect(formatVital(given)).toBe(text);
  });
});

describe('units and ages', () => {
  it.each([
    ['mm[Hg]', 'mmHg'],
    ['Cel', '°C'],
    ['{drops}/min', '{drops}/min'],
    ['', ''],
    [null, ''],
  ])('%s is %s', (ucum, text) => {
    expect(formatUnit(ucum)).toBe(text);
  });

  it.each([
    [-5, '0 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [3_599_999, '59 min'],
    [3_600_000, '1 h'],
    [12_000_000, '3 h 20 min'],
    [33_000_000, '9 h'],
    [200_000_000, '2 d'],
  ])('%d ms is %s', (ms, text) => {
    expect(formatAge(ms)).toBe(text);
  });

  it('does not round a bound away', () => {
    expect(formatExact(38.25)).toBe('38.25');
    expect(formatExact(90)).toBe('90');
  });
});
