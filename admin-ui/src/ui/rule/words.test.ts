import { describe, expect, it } from 'vitest';
import type { Comparison } from '../../api/generated/graphql';
import { ruleChecks, ruleInput, ruleValues } from '../../forms/rule-values';
import { rule } from '../../test/samples';
import { conditionsClash, ruleSentence } from './words';

describe('a rule in words', () => {
  it('reads as a sentence', () => {
    expect(ruleSentence(rule())).toBe(
      'Raise a high alarm when spo2 is below 90 % for 10 s; clear it when it is at least 92 %.',
    );
  });

  it.each<[Comparison, number, Comparison, number, boolean]>([
    ['BELOW', 90, 'AT_LEAST', 92, false],
    ['BELOW', 90, 'AT_LEAST', 90, false],
    ['BELOW', 90, 'ABOVE', 89, true],
    ['AT_MOST', 90, 'AT_LEAST', 90, true],
    ['AT_MOST', 90, 'ABOVE', 90, false],
    ['ABOVE', 120, 'AT_MOST', 110, false],
    ['ABOVE', 120, 'BELOW', 121, true],
    ['ABOVE', 120, 'AT_LEAST', 110, true],
    ['BELOW', 90, 'BELOW', 95, true],
  ])('raise %s %d, clear %s %d: clash %s', (raiseWhen, raiseValue, clearWhen, clearValue, clash) => {
    expect(conditionsClash({ raiseWhen, raiseValue, clearWhen, clearValue }) !== null).toBe(clash);
  });
});

describe('the values of the form', () => {
  it('come back as they were, with the version that was edited', () => {
    expect(ruleInput(ruleValues(rule()), rule())).toEqual(rule());
  });

  it('name no rule when one is created', () => {
    expect(ruleInput(ruleValues(null), null)).not.toHaveProperty('id');
  });

  it.each([
    ['name', '', true],
    ['name', 'x'.repeat(101), true],
    ['name', 'x'.repeat(100), false],
    ['path', '  ', true],
    ['raiseValue', '', true],
    ['raiseValue', -4.5, false],
    ['holdSeconds', -1, true],
    ['holdSeconds', 1.5, true],
    ['holdSeconds', 86_401, true],
    ['holdSeconds', 86_400, false],
  ] as const)('%s = %s is wrong: %s', (field, value, wrong) => {
    const check = ruleChecks[field] as (value: string | number) => string | null;
    expect(check(value) !== null).toBe(wrong);
  });
});
