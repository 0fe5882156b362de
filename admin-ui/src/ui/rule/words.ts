import type { AlarmPriority, Comparison, RuleFieldsFragment } from '../../api/generated/graphql';
import { formatExact, formatUnit } from '../vitals/format';

export const COMPARISON_WORDS: Record<Comparison, string> = {
  ABOVE: 'above',
  AT_LEAST: 'at least',
  BELOW: 'below',
  AT_MOST: 'at most',
};

export const PRIORITY_WORDS: Record<AlarmPriority, string> = { HIGH: 'high', MEDIUM: 'medium', LOW: 'low' };

type Condition = Pick<RuleFieldsFragment, 'raiseWhen' | 'raiseValue' | 'holdSeconds' | 'unit'>;
type RuleText = Condition &
  Pick<RuleFieldsFragment, 'path' | 'priority' | 'clearWhen' | 'clearValue' | 'clearHoldSeconds'>;

export function raiseWords({ raiseWhen, raiseValue, holdSeconds, unit }: Condition): string {
  return condition(raiseWhen, raiseValue, unit, holdSeconds);
}

export function clearWords({ clearWhen, clearValue, clearHoldSeconds, unit }: RuleText): string {
  return condition(clearWhen, clearValue, unit, clearHoldSeconds);
}

/** The whole rule as a sentence, so that a slip in a number is seen before it is saved. */
export function ruleSentence(rule: RuleText): string {
  return (
    `Raise a ${PRIORITY_WORDS[rule.priority]} alarm when ${rule.path || '…'} is ${raiseWords(rule)}; ` +
    `clear it when it is ${clearWords(rule)}.`
  );
}

function condition(comparison: Comparison, value: number, unit: string, seconds: number): string {
  const amount = `${formatExact(value)} ${formatUnit(unit)}`.trim();
  const hold = seconds > 0 ? ` for ${seconds} s` : '';
  return `${COMPARISON_WORDS[comparison]} ${amount}${hold}`;
}

const IS_LOWER: Record<Comparison, boolean> = { BELOW: true, AT_MOST: true, ABOVE: false, AT_LEAST: false };

/**
 * What is wrong with the pair of conditions, if anything: a value must never both raise and clear. The server
 * checks it too; here it is said while typing.
 */
export function conditionsClash(
  rule: Pick<RuleText, 'raiseWhen' | 'raiseValue' | 'clearWhen' | 'clearValue'>,
): string | null {
  const { raiseWhen, raiseValue, clearWhen, clearValue } = rule;
  if (IS_LOWER[raiseWhen] === IS_LOWER[clearWhen]) {
    return `A rule that raises ${COMPARISON_WORDS[raiseWhen]} a value must clear in the other direction.`;
  }
  const bothTakeTheBound = raiseWhen.startsWith('AT_') && clearWhen.startsWith('AT_');
  const apart = IS_LOWER[raiseWhen] ? clearValue - raiseValue : raiseValue - clearValue;
  if (apart < 0 || (apart === 0 && bothTakeTheBound)) {
    return 'Some values would both raise and clear the alarm. Move the two bounds apart.';
  }
  return null;
}
