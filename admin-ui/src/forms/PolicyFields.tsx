import { Button, Group, MultiSelect, Select, Textarea } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import type { RolesQuery } from '../api/generated/graphql';
import classes from './form.module.css';
import type { OwnRoleValues } from './own-role-values';

type PolicyObject = RolesQuery['policyObjects'][number];

interface PolicyFieldsProps {
  form: UseFormReturnType<OwnRoleValues>;
  objects: readonly PolicyObject[];
  at: number;
}

/** One policy: an action on an object, in certain rows, without certain columns. */
export function PolicyFields({ form, objects, at }: PolicyFieldsProps) {
  const object = objects.find(({ name }) => name === form.values.policies[at]?.object);
  const remove = () => form.removeListItem('policies', at);
  return (
    <fieldset className={classes.group}>
      <legend>Policy {at + 1}</legend>
      <Group align="flex-start" gap="xs">
        <Select
          label="May"
          data={object?.actions ?? []}
          disabled={!object}
          {...form.getInputProps(`policies.${at}.action`)}
        />
        <Select
          label="a"
          data={objects.map(({ name }) => name)}
          searchable
          {...form.getInputProps(`policies.${at}.object`)}
          onChange={(name) => {
            const actions = objects.find((known) => known.name === name)?.actions ?? [];
            form.setFieldValue(`policies.${at}.object`, name);
            form.setFieldValue(`policies.${at}.action`, actions[0] ?? null);
            form.setFieldValue(`policies.${at}.hiddenColumns`, []);
          }}
        />
        <MultiSelect
          label="without"
          placeholder={object?.hideableColumns.length ? 'nothing hidden' : 'hides nothing'}
          data={object?.hideableColumns ?? []}
          disabled={!object?.hideableColumns.length}
          miw="14rem"
          {...form.getInputProps(`policies.${at}.hiddenColumns`)}
        />
        <Button variant="subtle" mt="1.55rem" aria-label={`Remove policy ${at + 1}`} onClick={remove}>
          Remove
        </Button>
      </Group>
      <Textarea
        label="in the rows where"
        description={<RowsHelp object={object} />}
        autosize
        mt="xs"
        {...form.getInputProps(`policies.${at}.rows`)}
      />
    </fieldset>
  );
}

function RowsHelp({ object }: { object: PolicyObject | undefined }) {
  if (!object || object.testableColumns.length === 0) return <>Only “all”.</>;
  return (
    <>
      “all”, or a condition such as <code>not patient.restricted or patient.care_team contains user.id</code>.
      It may use and, or, not, =, in […], is missing, within user.units, contains user.id, user.break_glass,
      and of each row{' '}
      {object.testableColumns.map(({ name, kind }, n) => (
        <span key={name}>
          {n > 0 && ', '}
          <code title={kind}>{name}</code>
        </span>
      ))}
      .
    </>
  );
}
