import { Autocomplete, Button, Group, Select, Stack, Textarea } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation } from 'urql';
import { RequestElevationDocument } from '../api/generated/graphql';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';

/** As the schema says. */
const REASON_MIN = 10;
const REASON_MAX = 500;
const HOURS = ['1', '2', '4', '8'];
/** Those that every hospital has; it may have more. */
const ROLES = ['technician', 'admin', 'auditor', 'clinician', 'nurse', 'researcher', 'integrator'];

interface ElevationFormProps {
  tenant: { id: string; name: string };
  onDone: () => void;
}

/** An operator asks a hospital to be let in: as what, why, for how long. */
export function ElevationForm({ tenant, onDone }: ElevationFormProps) {
  const [{ fetching, error }, request] = useMutation(RequestElevationDocument);
  const form = useForm({
    initialValues: { role: 'technician', reason: '', hours: '1' },
    validate: {
      role: (value) => (value.trim() === '' ? 'Say in which role' : null),
      reason: (value) =>
        value.trim().length < REASON_MIN ? `Say why, in at least ${REASON_MIN} characters` : null,
    },
  });
  const submit = form.onSubmit(async ({ role, reason, hours }) => {
    const input = { tenant: tenant.id, role: role.trim(), reason: reason.trim(), hours: Number(hours) };
    const { data } = await request({ input });
    if (data) onDone();
  });
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm" maw={560}>
        <h2>Ask {tenant.name} for access</h2>
        <p>
          You see nothing of a hospital’s patients unless it lets you in. Its administrators see who asks and
          why; what you read and do meanwhile stands in their audit trail, beside your reason.
        </p>
        <Autocomplete
          label="Role"
          description="One of the hospital’s, the least that will do"
          data={ROLES}
          {...form.getInputProps('role')}
        />
        <Textarea
          label="Why"
          description="In one line"
          autosize
          maxLength={REASON_MAX}
          data-autofocus
          {...form.getInputProps('reason')}
        />
        <Select
          label="For how long, once it is granted"
          allowDeselect={false}
          data={HOURS.map((value) => ({ value, label: value === '1' ? '1 hour' : `${value} hours` }))}
          {...form.getInputProps('hours')}
        />
        {error && <ErrorNotice error={error} detailed />}
        <Group justify="flex-end" gap="xs">
          <Button variant="subtle" onClick={onDone}>
            Cancel
          </Button>
          <Button type="submit" loading={fetching}>
            Ask
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
