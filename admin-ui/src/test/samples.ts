import type { Alarm } from '../api/feed/alarms';
import type { News2, Vital } from '../api/feed/vitals';
import type { RuleFieldsFragment, VitalSign } from '../api/generated/graphql';

/** Plausible values for tests; each takes what the test is about. */
export const NOON = Date.parse('2026-03-04T12:00:00Z');

export function at(secondsAfterNoon: number): string {
  return new Date(NOON + secondsAfterNoon * 1_000).toISOString();
}

export function vital(sign: VitalSign, given: Partial<Vital> = {}): Vital {
  return {
    sign,
    label: sign.toLowerCase(),
    value: 72,
    code: null,
    unit: '/min',
    measuredAt: at(0),
    receivedAt: at(0),
    stale: false,
    staleAfterSeconds: 60,
    device: 'monitor-1',
    ...given,
  };
}

const SCORED: VitalSign[] = [
  'RESPIRATORY_RATE',
  'OXYGEN_SATURATION',
  'SUPPLEMENTAL_OXYGEN',
  'SYSTOLIC_PRESSURE',
  'HEART_RATE',
  'CONSCIOUSNESS',
  'TEMPERATURE',
];

/** A score from points by sign; a sign that is not given is missing. */
export function news2(points: Partial<Record<VitalSign, number>>, given: Partial<News2> = {}): News2 {
  const parameters = SCORED.map((sign) => ({
    sign,
    label: sign,
    points: points[sign] ?? null,
    ageSeconds: points[sign] === undefined ? null : 1,
    reason: '',
  }));
  const known = parameters.flatMap((parameter) => (parameter.points === null ? [] : [parameter.points]));
  const missing = parameters.filter((parameter) => parameter.points === null).map(({ sign }) => sign);
  return {
    score: known.length === 0 ? null : known.reduce((sum, each) => sum + each, 0),
    complete: missing.length === 0,
    missing,
    risk: null,
    spo2Scale: 1,
    parameters,
    ...given,
  };
}

export function alarm(id: string, given: Partial<Alarm> = {}): Alarm {
  return {
    id,
    title: 'Low oxygen saturation',
    priority: 'HIGH',
    state: 'RAISED',
    path: 'spo2',
    value: 86,
    unit: '%',
    raisedAt: at(0),
    acknowledgedAt: null,
    acknowledgedBy: null,
    note: null,
    clearedAt: null,
    device: { id: 'monitor-1', name: 'monitor-1' },
    patient: { id: 'p1', name: 'Ada Berg', ward: 'Cardiology', bed: '1A' },
    ...given,
  };
}

export function rule(given: Partial<RuleFieldsFragment> = {}): RuleFieldsFragment {
  return {
    id: 'r1',
    name: 'Low oxygen saturation',
    path: 'spo2',
    raiseWhen: 'BELOW',
    raiseValue: 90,
    holdSeconds: 10,
    clearWhen: 'AT_LEAST',
    clearValue: 92,
    clearHoldSeconds: 0,
    unit: '%',
    priority: 'HIGH',
    enabled: true,
    version: 3,
    ...given,
  };
}
