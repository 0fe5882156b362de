import { Button, Group, Select, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useMutation, useQuery } from 'urql';
import {
  CreateServiceClientDocument,
  type CreateServiceClientMutation,
  OrgUnitsDocument,
} from '../api/generated/graphql';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { UnitSelect } from '../ui/org/UnitSelect';
import { useSignedIn } from '../ui/use-signed-in';

const NO_END = 'none';

const DAYS = [
  { value: '90', label: '90 days' },
  { value: '365', label: 'a year' },
  { value: '1095', label: 'three years' },
  { value: NO_END, label: 'no end' },
];

interface ServiceClientFormProps {
  roleNames: readonly string[];
  onCreated: (created: CreateServiceClientMutation['createServiceClient']) => void;
  onCancel: () => void;
}

/** What a program of the hospital's own shall be able to do, where, and how long. */
export function ServiceClientForm({ roleNames, onCreated, onCancel }: ServiceClientFormProps) {
  const { viewer } = useSignedIn();
  const [{ data }] = useQuery({ query: OrgUnitsDocument });
  const [{ fetching, error }, create] = useMutation(CreateServiceClientDocument);
  const [name, setName] = useState('');
  const [role, setRole] = useState<string | null>(null);
  const units = data?.orgUnits ?? [];
  const [chosen, setChosen] = useState<string | null>(null);
  const unit = chosen ?? units.find(({ parentId }) => parentId === null)?.id ?? viewer.tenant?.id ?? null;
  const [days, setDays] = useState('365');
  const ready = name.trim() !== '' && role !== null && unit !== null;
  return (
    <form
      onSubmit={async (event) => {
        event.preventDefault();
        if (!ready) return;
        const lasts = days === NO_END ? null : Number(days);
        const created = await create({ input: { name: name.trim(), role, unit, days: lasts } });
        if (created.data) onCreated(created.data.createServiceClient);
      }}
    >
      <Group align="flex-end" gap="xs">
        <TextInput
          label="Which program it is"
          maxLength={100}
          autoFocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Select label="With the role" data={[...roleNames]} value={role} onChange={setRole} />
        <UnitSelect label="In" units={units} value={unit} onChange={setChosen} allowDeselect={false} />
        <Select
          label="For"
          data={DAYS}
          value={days}
          onChange={(value) => setDays(value ?? '365')}
          allowDeselect={false}
        />
        <Button type="submit" loading={fetching} disabled={!ready}>
          Make the client
        </Button>
        <Button variant="subtle" onClick={onCancel}>
          Cancel
        </Button>
      </Group>
      {error && <ErrorNotice error={error} />}
    </form>
  );
}
