import { Button, Group, Select, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import type { UnitFieldsFragment } from '../api/generated/graphql';
import { UnitSelect } from '../ui/org/UnitSelect';
import classes from './form.module.css';
import type { ProviderValues } from './identity-provider-values';

interface GroupRoleFieldsProps {
  form: UseFormReturnType<ProviderValues>;
  roleNames: readonly string[];
  units: readonly UnitFieldsFragment[];
}

/** Which role the members of a group hold, and where. */
export function GroupRoleFields({ form, roleNames, units }: GroupRoleFieldsProps) {
  const whole = units.find(({ parentId }) => parentId === null)?.id ?? null;
  return (
    <fieldset className={classes.group}>
      <legend>Groups and roles</legend>
      {form.values.roles.length === 0 && <p>No group gives a role yet.</p>}
      {form.values.roles.map((_, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place, the form keeps it under it.
        <Group key={at} align="flex-start" gap="xs" mb="xs">
          <TextInput
            label={`Group ${at + 1}`}
            description="As the provider names it"
            inputWrapperOrder={['label', 'input', 'description', 'error']}
            {...form.getInputProps(`roles.${at}.group`)}
          />
          <Select label="holds" data={[...roleNames]} {...form.getInputProps(`roles.${at}.role`)} />
          <UnitSelect label="in" units={units} {...form.getInputProps(`roles.${at}.unit`)} />
          <Button
            variant="subtle"
            mt="1.55rem"
            aria-label={`Remove group ${at + 1}`}
            onClick={() => form.removeListItem('roles', at)}
          >
            Remove
          </Button>
        </Group>
      ))}
      <Button
        variant="default"
        size="xs"
        onClick={() => form.insertListItem('roles', { group: '', role: null, unit: whole })}
      >
        Add a group
      </Button>
    </fieldset>
  );
}
