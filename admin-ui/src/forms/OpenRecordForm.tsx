import { Button, Group, Select, Stack, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useNavigate } from '@tanstack/react-router';
import { useMutation } from 'urql';
import { OpenRecordDocument } from '../api/generated/graphql';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { useSignedIn } from '../ui/use-signed-in';
import { CodeField, codeRule } from './CodeField';

/** As the schema says. */
const REASON_MIN = 10;
const REASON_MAX = 500;
const MINUTES = ['15', '30', '60'];

interface OpenRecordFormProps {
  mrn: string;
  onCancel: () => void;
}

/** Whose record, why, for how long, and the proof that it is really this person who asks. */
export function OpenRecordForm({ mrn, onCancel }: OpenRecordFormProps) {
  const { emergencies } = useSignedIn();
  const navigate = useNavigate();
  const [{ fetching, error }, open] = useMutation(OpenRecordDocument);
  const form = useForm({
    initialValues: { patient: mrn, reason: '', minutes: '30', code: '' },
    validate: {
      patient: (value) => (value.trim() === '' ? 'Write the record number' : null),
      reason: (value) =>
        value.trim().length < REASON_MIN ? `Say why, in at least ${REASON_MIN} characters` : null,
      code: codeRule,
    },
  });

  const submit = form.onSubmit(async ({ patient, reason, minutes, code }) => {
    const input = { patient, reason, code, minutes: Number(minutes) };
    const { data } = await open({ input });
    // A code counts once.
    form.setFieldValue('code', '');
    if (!data) return;
    await emergencies.load().catch(() => {});
    await navigate({ to: '/patients/$patientId', params: { patientId: data.openRecord.patientId } });
  });

  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm" maw={560}>
        <p>
          For emergencies only. Auditors are told at once, everything that you read is written down with your
          reason, and somebody will ask whether it was necessary.
        </p>
        <TextInput
          label="Record number (MRN)"
          description="Exactly as it is written on the wristband"
          autoComplete="off"
          data-autofocus
          {...form.getInputProps('patient')}
        />
        <Textarea label="Why" rows={3} maxLength={REASON_MAX} {...form.getInputProps('reason')} />
        <Select
          label="For how long"
          allowDeselect={false}
          data={MINUTES.map((value) => ({ value, label: `${value} minutes` }))}
          {...form.getInputProps('minutes')}
        />
        <CodeField input={form.getInputProps('code')} />
        {error && <ErrorNotice error={error} detailed />}
        <Group justify="flex-end" gap="xs">
          <Button variant="subtle" onClick={onCancel}>
            Cancel
          </Button>
          <Button type="submit" color="red" loading={fetching}>
            Open this record
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
