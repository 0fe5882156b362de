import { Autocomplete, Button, Group, SegmentedControl, Stack, Switch, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation } from 'urql';
import { type RuleFieldsFragment, SaveRuleDocument } from '../api/generated/graphql';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { ruleSentence } from '../ui/rule/words';
import { ConditionFields } from './ConditionFields';
import classes from './form.module.css';
import { type RuleValues, ruleChecks, ruleInput, ruleValues } from './rule-values';

interface RuleFormProps {
  /** Null to create one. */
  rule: RuleFieldsFragment | null;
  /** Paths that other rules watch, as suggestions. */
  paths: readonly string[];
  onSaved: (rule: RuleFieldsFragment) => void;
  onCancel: () => void;
}

export function RuleForm({ rule, paths, onSaved, onCancel }: RuleFormProps) {
  const [{ fetching, error }, save] = useMutation(SaveRuleDocument);
  const form = useForm<RuleValues>({ initialValues: ruleValues(rule), validate: ruleChecks });

  const submit = form.onSubmit(async (values) => {
    const { data } = await save({ input: ruleInput(values, rule) });
    if (data) onSaved(data.saveRule);
  });

  return (
    <form onSubmit={submit} noValidate aria-label="Rule">
      <Stack gap="md" maw={760}>
        <TextInput label="Name" withAsterisk {...form.getInputProps('name')} />
        <div className={classes.pair}>
          <Autocomplete
            label="Telemetry path"
            description="As the device sends it, e.g. spo2"
            withAsterisk
            data={[...paths]}
            {...form.getInputProps('path')}
          />
          <TextInput
            label="Unit"
            description="UCUM, e.g. %, /min, mm[Hg], Cel"
            {...form.getInputProps('unit')}
          />
        </div>
        <ConditionFields
          legend="Raise the alarm"
          form={form}
          when="raiseWhen"
          value="raiseValue"
          hold="holdSeconds"
        />
        <ConditionFields
          legend="Clear it"
          form={form}
          when="clearWhen"
          value="clearValue"
          hold="clearHoldSeconds"
        />
        <div>
          <Text component="div" size="sm" fw={500} mb={4} id="rule-priority">
            Priority
          </Text>
          <SegmentedControl
            aria-labelledby="rule-priority"
            data={[
              { value: 'HIGH', label: 'High' },
              { value: 'MEDIUM', label: 'Medium' },
              { value: 'LOW', label: 'Low' },
            ]}
            {...form.getInputProps('priority')}
          />
        </div>
        <Switch label="Enabled" {...form.getInputProps('enabled', { type: 'checkbox' })} />
        <p className={classes.sentence} aria-live="polite">
          {ruleSentence(ruleInput(form.values, rule))}
        </p>
        {error && <ErrorNotice error={error} />}
        <Group gap="sm">
          <Button type="submit" loading={fetching}>
            {rule ? 'Save rule' : 'Create rule'}
          </Button>
          <Button variant="default" onClick={onCancel}>
            Cancel
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
