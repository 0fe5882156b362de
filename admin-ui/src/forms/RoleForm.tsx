import { Button, Group, Select } from '@mantine/core';
import { useState } from 'react';
import type { UnitFieldsFragment } from '../api/generated/graphql';
import { unitPath } from '../ui/org/unit-path';

/** A role, and where it shall be held. */
export function RoleForm({
  label,
  busy,
  roleNames,
  units,
  onChosen,
}: {
  /** What the button says. */
  label: string;
  busy: boolean;
  roleNames: readonly string[];
  units: readonly UnitFieldsFragment[];
  onChosen: (role: string, unit: string) => void;
}) {
  const [role, setRole] = useState<string | null>(null);
  const [unit, setUnit] = useState<string | null>(
    units.find(({ parentId }) => parentId === null)?.id ?? null,
  );
  return (
    <Group align="flex-end" gap="xs">
      <Select label="Role" data={[...roleNames]} value={role} onChange={setRole} />
      <Select
        label="In"
        data={units.map(({ id }) => ({ value: id, label: unitPath(units, id) }))}
        value={unit}
        onChange={setUnit}
        allowDeselect={false}
        searchable
      />
      <Button loading={busy} disabled={!role || !unit} onClick={() => role && unit && onChosen(role, unit)}>
        {label}
      </Button>
    </Group>
  );
}
