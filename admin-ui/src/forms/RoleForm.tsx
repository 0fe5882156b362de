import { Button, Group, Select } from '@mantine/core';
import { useState } from 'react';
import type { UnitFieldsFragment } from '../api/generated/graphql';
import { UnitSelect } from '../ui/org/UnitSelect';

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
      <UnitSelect label="In" units={units} value={unit} onChange={setUnit} allowDeselect={false} />
      <Button loading={busy} disabled={!role || !unit} onClick={() => role && unit && onChosen(role, unit)}>
        {label}
      </Button>
    </Group>
  );
}
