import type { RuleFieldsFragment, SaveRuleInput } from '../api/generated/graphql';
import { conditionsClash } from '../ui/rule/words';

type Kept = 'name' | 'path' | 'unit' | 'raiseWhen' | 'clearWhen' | 'priority' | 'enabled';

/** What the fields hold while somebody types: a number may be an empty text for a while. */
export interface RuleValues extends Pick<RuleFieldsFragment, Kept> {
  raiseValue: number | string;
  holdSeconds: number | string;
  clearValue: number | string;
  clearHoldSeconds: number | string;
}

const NAME_MAX = 100;
const HOLD_MAX_SECONDS = 86_400;

export function ruleValues(rule: RuleFieldsFragment | null): RuleValues {
  if (!rule) {
    return {
      name: '',
      path: '',
      unit: '',
      raiseWhen: 'BELOW',
      raiseValue: '',
      holdSeconds: 10,
      clearWhen: 'AT_LEAST',
      clearValue: '',
      clearHoldSeconds: 10,
      priority: 'MEDIUM',
      enabled: true,
    };
  }
  const { id: _id, version: _version, ...values } = rule;
  return values;
}

export function ruleInput(values: RuleValues, rule: RuleFieldsFragment | null): SaveRuleInput {
  return {
    ...(rule ? { id: rule.id, version: rule.version } : {}),
    name: values.name.trim(),
    path: values.path.trim(),
    unit: values.unit.trim(),
    raiseWhen: values.raiseWhen,
    raiseValue: Number(values.raiseValue),
    holdSeconds: Number(values.holdSeconds),
    clearWhen: values.clearWhen,
    clearValue: Number(values.clearValue),
    clearHoldSeconds: Number(values.clearHoldSeconds),
    priority: values.priority,
    enabled: values.enabled,
  };
}

export const ruleChecks = {
  name: (name: string) => {
    if (name.trim() === '') return 'Give the rule a name.';
    return name.trim().length > NAME_MAX ? `At most ${NAME_MAX} characters.` : null;
  },
  path: (path: string) => (path.trim() === '' ? 'Say which value is watched.' : null),
  raiseValue: bound,
  holdSeconds: hold,
  clearValue: (value: number | string, values: RuleValues) =>
    bound(value) ?? (bound(values.raiseValue) === null ? conditionsClash(ruleInput(values, null)) : null),
  clearHoldSeconds: hold,
};

function bound(value: number | string): string | null {
  return value === '' || !Number.isFinite(Number(value)) ? 'Enter a number.' : null;
}

function hold(value: number | string): string | null {
  const seconds = Number(value);
  if (value === '' || !Number.isInteger(seconds) || seconds < 0) return 'Enter whole seconds.';
  return seconds > HOLD_MAX_SECONDS ? 'At most 24 hours.' : null;
}
