import { describe, expect, it, vi } from 'vitest';
import { at, news2, vital } from '../../test/samples';
import { createVitalsFeed, mergeVitals, type PatientVitals } from './vitals';

const early: PatientVitals = {
  vitals: [vital('HEART_RATE', { value: 70, measuredAt: at(0) })],
  news2: news2({ HEART_RATE: 0 }),
};
const late: PatientVitals = {
  vitals: [vital('HEART_RATE', { value: 135, measuredAt: at(10) })],
  news2: news2({ HEART_RATE: 3 }),
};

describe('mergeVitals', () => {
  it('ends with the newer state whichever comes first', () => {
    expect(mergeVitals(early, late)).toEqual(late);
    expect(mergeVitals(late, early)).toEqual(late);
  });

  it('keeps signs that the incoming state does not speak of', () => {
    const other = { ...early, vitals: [vital('TEMPERATURE', { value: 37 })] };
    expect(mergeVitals(other, late).vitals.map(({ sign }) => sign)).toEqual(['TEMPERATURE', 'HEART_RATE']);
  });

  it('lets the later received one of equal times win', () => {
    const first = { ...early, vitals: [vital('HEART_RATE', { value: 1, receivedAt: at(1) })] };
    const second = { ...early, vitals: [vital('HEART_RATE', { value: 2, receivedAt: at(2) })] };
    expect(mergeVitals(first, second).vitals[0]?.value).toBe(2);
    expect(mergeVitals(second, first).vitals[0]?.value).toBe(2);
  });

  it('takes a repeated state again: the server may have found it stale meanwhile', () => {
    const gone = { vitals: late.vitals.map((each) => ({ ...each, stale: true })), news2: news2({}) };
    expect(mergeVitals(late, gone)).toEqual(gone);
  });

  it('holds the newest measurement of each sign after any order of arrival', () => {
    const states = Array.from({ length: 6 }, (_, index) => ({
      vitals: [vital(index % 2 ? 'HEART_RATE' : 'TEMPERATURE', { value: index, measuredAt: at(index) })],
      news2: news2({}),
    }));
    for (let round = 0; round < 50; round += 1) {
      const shuffled = [...states].sort(() => Math.random() - 0.5);
      const merged = shuffled.reduce<PatientVitals | undefined>(
        (known, next) => mergeVitals(known, next),
        undefined,
      );
      const values = new Map(merged?.vitals.map(({ sign, value }) => [sign, value]));
      expect([values.get('HEART_RATE'), values.get('TEMPERATURE')]).toEqual([5, 4]);
    }
  });
});

describe('the vitals feed', () => {
  it('tells only the listeners of a changed patient, once per batch', () => {
    let flush = () => {};
    const feed = createVitalsFeed((run) => {
      flush = run;
    });
    const one = vi.fn();
    const two = vi.fn();
    feed.subscribe('p1', one);
    const stop = feed.subscribe('p2', two);
    feed.merge('p1', early);
    feed.merge('p1', late);
    flush();
    expect([one.mock.calls.length, two.mock.calls.length]).toEqual([1, 0]);
    stop();
    feed.merge('p2', late);
    flush();
    expect(two).not.toHaveBeenCalled();
    expect(feed.get('p2')).toEqual(late);
  });
});
