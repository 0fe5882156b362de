import { describe, expect, it } from 'vitest';
import { homeFor, opens, sectionsFor } from './sections';

const hospital = { id: 't', slug: 'st-elsewhere', name: 'St. Elsewhere', locale: 'en', timeZone: 'UTC' };

describe('an address', () => {
  it.each([
    ['/people', true],
    ['/people?x=1', true],
    ['/audit', false],
    ['/rules/7', false],
    ['/peoples', true],
    ['/patients/7', true],
    ['/', true],
  ])('%s opens where the role opens its section', (href, expected) => {
    expect(opens({ permissions: ['user:read'], tenant: hospital }, href)).toBe(expected);
  });
});

describe('what a viewer sees', () => {
  it.each([
    [
      ['patient:read', 'alarm:read', 'device:read', 'rule:read'],
      hospital,
      ['/ward', '/alarms', '/devices', '/rules'],
    ],
    [['device:read'], hospital, ['/devices']],
    [['audit:read'], hospital, ['/audit', '/emergency']],
    [['user:read', 'org_unit:write'], hospital, ['/people', '/units']],
    [['tenant:read', 'patient:read'], null, ['/tenants']],
    [['tenant:read', 'patient:read'], hospital, ['/ward']],
    [[], hospital, []],
  ])('follows from permissions %j', (permissions, tenant, expected) => {
    const viewer = { permissions, tenant };
    expect(sectionsFor(viewer).map(({ to }) => to)).toEqual(expected);
    expect(homeFor(viewer)).toBe(expected[0] ?? null);
  });
});
