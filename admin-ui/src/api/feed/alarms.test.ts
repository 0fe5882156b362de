import { describe, expect, it } from 'vitest';
import { alarm, at } from '../../test/samples';
import { createAlarmFeed, newerAlarm } from './alarms';

const raised = alarm('a');
const acknowledged = alarm('a', { state: 'ACKNOWLEDGED', acknowledgedAt: at(5), acknowledgedBy: 'Nora' });
const cleared = alarm('a', { state: 'CLEARED', clearedAt: at(9) });
const clearedThenAcknowledged = { ...cleared, acknowledgedAt: at(12), acknowledgedBy: 'Nora' };

/** A feed that publishes at once. */
const feedNow = () => createAlarmFeed((flush) => flush());

describe('newerAlarm', () => {
  const steps = [raised, acknowledged, cleared, clearedThenAcknowledged];
  it('is the one further on, whichever is known first', () => {
    for (const [i, one] of steps.entries()) {
      for (const [j, other] of steps.entries()) {
        expect(newerAlarm(one, other)).toEqual(steps[Math.max(i, j)]);
      }
    }
  });
});

describe('the alarm feed', () => {
  it('lists open alarms by urgency and forgets cleared ones', () => {
    const feed = feedNow();
    feed.merge([
      alarm('low', { priority: 'LOW' }),
      alarm('taken', { state: 'ACKNOWLEDGED', acknowledgedAt: at(1) }),
      alarm('old', { raisedAt: at(-60) }),
      alarm('new', { raisedAt: at(60) }),
    ]);
    expect(feed.get().open.map(({ id }) => id)).toEqual(['new', 'old', 'low', 'taken']);
    expect(feed.get().unacknowledged).toBe(3);
    feed.merge([alarm('new', { state: 'CLEARED', clearedAt: at(70) })]);
    expect(feed.get().open.map(({ id }) => id)).toEqual(['old', 'low', 'taken']);
    expect(feed.get().byId.get('new')?.state).toBe('CLEARED');
  });

  it('gives notice of high alarms that arrive, not of those that were there', () => {
    const feed = feedNow();
    feed.merge([alarm('pushed before the list came')]);
    feed.reconcile([alarm('there')], feed.get());
    expect(feed.get().notices).toEqual([]);
    feed.merge([alarm('arrived'), alarm('medium', { priority: 'MEDIUM' })]);
    expect(feed.get().notices.map(({ id }) => id)).toEqual(['arrived']);
  });

  it('takes a notice away when somebody acknowledged, when it cleared, or when it was put away', () => {
    const feed = feedNow();
    feed.reconcile([], feed.get());
    feed.merge([alarm('a'), alarm('b'), alarm('c'), alarm('d')]);
    feed.merge([acknowledged, alarm('b', { state: 'CLEARED', clearedAt: at(1) })]);
    feed.dismiss('c');
    expect(feed.get().notices.map(({ id }) => id)).toEqual(['d']);
    feed.merge([alarm('c')]);
    expect(feed.get().notices.map(({ id }) => id)).toEqual(['d']);
  });

  it('drops what was cleared while the line was down, and gives notice of what was raised then', () => {
    const feed = feedNow();
    feed.reconcile([alarm('a'), alarm('b')], feed.get());
    const before = feed.get();
    feed.merge([alarm('pushed meanwhile')]);
    feed.reconcile([alarm('b'), alarm('raised while away')], before);
    expect(
      feed
        .get()
        .open.map(({ id }) => id)
        .sort(),
    ).toEqual(['b', 'pushed meanwhile', 'raised while away']);
    expect(feed.get().notices.map(({ id }) => id)).toContain('raised while away');
  });

  it('groups by patient', () => {
    const feed = feedNow();
    feed.merge([alarm('a'), alarm('b'), alarm('c', { patient: null })]);
    expect(feed.get().openByPatient.get('p1')?.length).toBe(2);
  });
});
