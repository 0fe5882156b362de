import { Button, Group, Select, TagsInput, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useMutation, useQuery } from 'urql';
import {
  CreateApiTokenDocument,
  type CreateApiTokenMutation,
  OrgUnitsDocument,
} from '../api/generated/graphql';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { UnitSelect } from '../ui/org/UnitSelect';
import type { Unit } from '../ui/org/unit-path';
import { useSignedIn } from '../ui/use-signed-in';

const DAYS = [
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: '365', label: 'a year' },
];

interface ApiTokenFormProps {
  onCreated: (created: CreateApiTokenMutation['createApiToken']) => void;
  onCancel: () => void;
}

/** What a program shall be able to do: one of the person's roles, in a part of where they hold it. */
export function ApiTokenForm({ onCreated, onCancel }: ApiTokenFormProps) {
  const { viewer, may } = useSignedIn();
  const [{ data }] = useQuery({ query: OrgUnitsDocument, pause: !may('org_unit:read') });
  const [{ fetching, error }, create] = useMutation(CreateApiTokenDocument);
  const [name, setName] = useState('');
  const [role, setRole] = useState(viewer.roles[0]?.role ?? null);
  const [chosen, setChosen] = useState<string | null>(null);
  const [days, setDays] = useState<string>('90');
  const [allow, setAllow] = useState<string[]>([]);
  const [deny, setDeny] = useState<string[]>([]);
  const held = viewer.roles.filter((grant) => grant.role === role).map((grant) => grant.unit);
  const units = withinAny(data?.orgUnits ?? held, held);
  const unit = units.some(({ id }) => id === chosen) ? chosen : (units[0]?.id ?? null);
  const ready = name.trim() !== '' && role !== null && unit !== null;
  return (
    <form
      onSubmit={async (event) => {
        event.preventDefault();
        if (!ready) return;
        const topics = allow.length > 0 ? { allow, deny } : null;
        const created = await create({
          input: { name: name.trim(), role, unit, days: Number(days), topics },
        });
        if (created.data) onCreated(created.data.createApiToken);
      }}
    >
      <Group align="flex-end" gap="xs">
        <TextInput
          label="What it is for"
          maxLength={100}
          autoFocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Select
          label="With your role"
          data={[...new Set(viewer.roles.map((grant) => grant.role))]}
          value={role}
          onChange={setRole}
          allowDeselect={false}
        />
        <UnitSelect label="In" units={units} value={unit} onChange={setChosen} allowDeselect={false} />
        <Select
          label="For"
          data={DAYS}
          value={days}
          onChange={(value) => setDays(value ?? '90')}
          allowDeselect={false}
        />
        {(may('topic:read') || may('topic:publish')) && (
          <>
            <TopicsInput label="May use the MQTT topics" value={allow} onChange={setAllow} />
            {allow.length > 0 && <TopicsInput label="But not" value={deny} onChange={setDeny} />}
          </>
        )}
        <Button type="submit" loading={fetching} disabled={!ready}>
          Make the token
        </Button>
        <Button variant="subtle" onClick={onCancel}>
          Cancel
        </Button>
      </Group>
      {error && <ErrorNotice error={error} />}
    </form>
  );
}

interface TopicsInputProps {
  label: string;
  value: string[];
  onChange: (topics: string[]) => void;
}

/** Topic filters of MQTT; the comma that ends one cannot be part of it. */
function TopicsInput({ label, value, onChange }: TopicsInputProps) {
  const placeholder = value.length === 0 ? 'none; e.g. lab/#, Enter' : undefined;
  return (
    <TagsInput
      label={label}
      placeholder={placeholder}
      value={value}
      onChange={onChange}
      acceptValueOnBlur
      maxTags={32}
      miw="16rem"
    />
  );
}

/** The units that lie in one of some, each behind what it belongs to. */
function withinAny(units: readonly Unit[], tops: readonly Unit[]): Unit[] {
  const within = new Set(tops.map(({ id }) => id));
  return units.filter(({ id, parentId }) => {
    if (parentId !== null && within.has(parentId)) within.add(id);
    return within.has(id);
  });
}
