import { Button, Group, Select, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation } from 'urql';
import { SaveOrgUnitDocument, type UnitFieldsFragment, type UnitKind } from '../api/generated/graphql';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { UnitSelect } from '../ui/org/UnitSelect';

const KINDS: { value: UnitKind; label: string }[] = [
  { value: 'HOSPITAL', label: 'Hospital' },
  { value: 'DEPARTMENT', label: 'Department' },
  { value: 'WARD', label: 'Ward' },
];

/** Adds a unit, or renames or moves one. */
export function UnitForm({
  unit,
  units,
  onDone,
}: {
  unit: UnitFieldsFragment | null;
  units: readonly UnitFieldsFragment[];
  onDone: (saved: boolean) => void;
}) {
  const [{ fetching, error }, save] = useMutation(SaveOrgUnitDocument);
  const whole = units.find(({ parentId }) => parentId === null);
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: {
      name: unit?.name ?? '',
      kind: unit?.kind ?? ('WARD' as UnitKind),
      parentId: unit ? unit.parentId : (whole?.id ?? null),
    },
    validate: { name: (value) => (value.trim() === '' ? 'Enter a name.' : null) },
  });
  const submit = form.onSubmit(async ({ name, kind, parentId }) => {
    const { data } = await save({ input: { id: unit?.id ?? null, name: name.trim(), kind, parentId } });
    if (data) onDone(true);
  });
  const isWhole = unit !== null && unit.parentId === null;
  const parents = units.filter(({ id }) => id !== unit?.id);

  return (
    <form onSubmit={submit} noValidate>
      <Group align="flex-start" grow>
        <TextInput label="Name" data-autofocus key={form.key('name')} {...form.getInputProps('name')} />
        <Select
          label="Kind"
          data={KINDS}
          allowDeselect={false}
          key={form.key('kind')}
          {...form.getInputProps('kind')}
        />
        {!isWhole && (
          <UnitSelect
            label="Belongs to"
            units={parents}
            allowDeselect={false}
            key={form.key('parentId')}
            {...form.getInputProps('parentId')}
          />
        )}
      </Group>
      {error && <ErrorNotice error={error} />}
      <Group justify="flex-end" gap="xs" mt="md">
        <Button variant="subtle" onClick={() => onDone(false)}>
          Cancel
        </Button>
        <Button type="submit" loading={fetching}>
          Save unit
        </Button>
      </Group>
    </form>
  );
}
