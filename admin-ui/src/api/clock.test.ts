import { afterEach, describe, expect, it, vi } from 'vitest';
import { everySecond, learnServerTime, now } from './clock';

afterEach(() => {
  learnServerTime(new Date().toUTCString(), Date.now(), Date.now());
  vi.useRealTimers();
});

describe('the server time', () => {
  it('corrects a workstation whose clock is wrong', () => {
    vi.useFakeTimers({ now: Date.parse('2026-01-02T03:00:00Z') });
    learnServerTime('Fri, 02 Jan 2026 03:10:00 GMT', Date.now(), Date.now());
    expect(now()).toBe(Date.parse('2026-01-02T03:10:00.500Z'));
  });

  it.each([['Fri, 02 Jan 2026 03:00:01 GMT'], [null], ['not a date']])('is not moved by %s', (header) => {
    vi.useFakeTimers({ now: Date.parse('2026-01-02T03:00:00Z') });
    learnServerTime(header, Date.now(), Date.now());
    expect(now()).toBe(Date.now());
  });

  it('ticks for all with one timer and stops with the last', () => {
    vi.useFakeTimers();
    const first = vi.fn();
    const second = vi.fn();
    const stopFirst = everySecond(first);
    const stopSecond = everySecond(second);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(2_000);
    stopFirst();
    stopSecond();
    expect([first.mock.calls.length, second.mock.calls.length, vi.getTimerCount()]).toEqual([2, 2, 0]);
  });
});
