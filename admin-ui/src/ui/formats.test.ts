import { expect, test } from 'vitest';
import { make } from './formats';

const NOON = Date.parse('2026-07-01T12:00:00Z');

test('times are written as where the hospital is, and whose time it is where that is not here', () => {
  const tokyo = make({ locale: 'en-GB', timeZone: 'Asia/Tokyo' });
  expect(tokyo.full.format(NOON)).toBe('1 Jul 2026, 21:00:00 GMT+9');
  expect(tokyo.clock.format(NOON)).toBe('21:00');
  const berlin = make({ locale: 'de-DE', timeZone: 'Europe/Berlin' });
  expect(berlin.full.format(NOON)).toBe('01.07.2026, 14:00:00 MESZ');
  expect(berlin.day.format(NOON)).toBe('01.07.2026');
});

test('here nobody has to be told whose time it is', () => {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  expect(make({ locale: 'en-GB', timeZone }).time.format(NOON)).toMatch(/^\d\d:00:00$/);
  const unsaid = make({ locale: null, timeZone: null });
  expect(unsaid.time.format(NOON)).toBe(make(null).time.format(NOON));
  expect(make(null).full.resolvedOptions().timeZone).toBe(timeZone);
});
