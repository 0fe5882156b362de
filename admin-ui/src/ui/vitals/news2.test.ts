import { describe, expect, it } from 'vitest';
import type { ClinicalRisk, VitalSign } from '../../api/generated/graphql';
import { news2 } from '../../test/samples';
import { displayNews2, news2Sentence, riskFloor, withoutStale } from './news2';

const ALL_ZERO = {
  RESPIRATORY_RATE: 0,
  OXYGEN_SATURATION: 0,
  SUPPLEMENTAL_OXYGEN: 0,
  SYSTOLIC_PRESSURE: 0,
  HEART_RATE: 0,
  CONSCIOUSNESS: 0,
  TEMPERATURE: 0,
};
const { TEMPERATURE: _t, CONSCIOUSNESS: _c, ...FIVE_ZERO } = ALL_ZERO;

describe('the wording of NEWS2', () => {
  it.each([
    [news2(ALL_ZERO, { risk: 'LOW' }), 'NEWS2 0, low risk', 'LOW'],
    [news2({ ...ALL_ZERO, HEART_RATE: 3 }, { risk: 'LOW_MEDIUM' }), 'NEWS2 3, low-medium risk', 'LOW_MEDIUM'],
    [news2(FIVE_ZERO), 'NEWS2 0+, risk unknown, 2 missing', null],
    [
      news2({ ...FIVE_ZERO, HEART_RATE: 3, RESPIRATORY_RATE: 2 }),
      'NEWS2 5+, at least medium risk, 2 missing',
      'MEDIUM',
    ],
    [news2({ ...FIVE_ZERO, HEART_RATE: 3 }), 'NEWS2 3+, at least low-medium risk, 2 missing', 'LOW_MEDIUM'],
    [news2({}), 'NEWS2 not known, risk unknown, 7 missing', null],
  ])('%#: %s', (given, sentence, tone) => {
    const display = displayNews2(given);
    expect(news2Sentence(display)).toBe(sentence);
    expect(display.tone).toBe(tone);
  });

  it('never shows a partial score without its plus', () => {
    expect(displayNews2(news2({ HEART_RATE: 2 }))).toMatchObject({ score: '2+', partial: true });
    expect(displayNews2(news2(ALL_ZERO, { risk: 'LOW' }))).toMatchObject({ score: '0', partial: false });
  });
});

describe('riskFloor', () => {
  it.each<[Record<string, number>, ClinicalRisk | null]>([
    [{ HEART_RATE: 2, TEMPERATURE: 2 }, null],
    [{ HEART_RATE: 3 }, 'LOW_MEDIUM'],
    [{ HEART_RATE: 2, TEMPERATURE: 2, RESPIRATORY_RATE: 1 }, 'MEDIUM'],
    [{ HEART_RATE: 3, RESPIRATORY_RATE: 3 }, 'MEDIUM'],
    [{ HEART_RATE: 3, RESPIRATORY_RATE: 3, TEMPERATURE: 1 }, 'HIGH'],
    [{}, null],
  ])('of %j is %s', (points, floor) => {
    expect(riskFloor(news2(points))).toBe(floor);
  });
});

describe('withoutStale', () => {
  const whole = news2({ ...ALL_ZERO, HEART_RATE: 2, RESPIRATORY_RATE: 3 }, { risk: 'MEDIUM' });
  const stale = (...signs: VitalSign[]) => withoutStale(whole, new Set(signs));

  it('leaves a fresh score alone', () => {
    expect(stale()).toBe(whole);
    expect(stale('DIASTOLIC_PRESSURE')).toBe(whole);
  });

  it('takes a stale parameter as missing, not as its old points and not as zero', () => {
    const left = stale('RESPIRATORY_RATE');
    expect(left).toMatchObject({ score: 2, complete: false, missing: ['RESPIRATORY_RATE'], risk: null });
    expect(left.parameters.find(({ sign }) => sign === 'RESPIRATORY_RATE')?.points).toBeNull();
  });

  it('knows nothing when everything is stale', () => {
    const left = withoutStale(whole, new Set(whole.parameters.map(({ sign }) => sign)));
    expect(left).toMatchObject({ score: null, risk: null });
    expect(left.missing.length).toBe(7);
  });

  it('keeps a high risk that the rest still proves', () => {
    const severe = news2(
      { ...ALL_ZERO, HEART_RATE: 3, RESPIRATORY_RATE: 3, CONSCIOUSNESS: 3 },
      { risk: 'HIGH' },
    );
    expect(withoutStale(severe, new Set(['TEMPERATURE'] as const)).risk).toBe('HIGH');
    expect(withoutStale(severe, new Set(['HEART_RATE'] as const)).risk).toBeNull();
  });
});
