import { NativeSelect, NumberInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import type { Comparison } from '../api/generated/graphql';
import { COMPARISON_WORDS } from '../ui/rule/words';
import classes from './form.module.css';
import type { RuleValues } from './rule-values';

interface ConditionFieldsProps {
  legend: string;
  form: UseFormReturnType<RuleValues>;
  when: 'raiseWhen' | 'clearWhen';
  value: 'raiseValue' | 'clearValue';
  hold: 'holdSeconds' | 'clearHoldSeconds';
}

const COMPARISONS = Object.entries(COMPARISON_WORDS).map(([value, words]) => ({
  value: value as Comparison,
  label: words,
}));

export function ConditionFields({ legend, form, when, value, hold }: ConditionFieldsProps) {
  return (
    <fieldset className={classes.group}>
      <legend>{legend}</legend>
      <div className={classes.pair}>
        <NativeSelect label="When the value is" data={COMPARISONS} {...form.getInputProps(when)} />
        <NumberInput
          label="Bound"
          withAsterisk
          decimalScale={4}
          hideControls
          {...form.getInputProps(value)}
        />
        <NumberInput
          label="For at least"
          suffix=" s"
          min={0}
          allowDecimal={false}
          {...form.getInputProps(hold)}
        />
      </div>
    </fieldset>
  );
}
