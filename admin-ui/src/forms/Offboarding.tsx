import { Button, Checkbox, Group, Stack, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation } from 'urql';
import { OffboardTenantDocument, type TenantsQuery } from '../api/generated/graphql';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { Age } from '../ui/time';
import { CodeField, codeRule } from './CodeField';

/** As the schema says. */
const REASON_MAX = 500;

interface OffboardingProps {
  tenant: TenantsQuery['tenants'][number];
  onCancel: () => void;
  onGone: () => void;
}

/** Lets a suspended hospital go, once whoever asks has said which, why, and proved who they are. */
export function Offboarding({ tenant, onCancel, onGone }: OffboardingProps) {
  const { id, name, slug, suspendedSince, exportedAt } = tenant;
  const exported = exportedAt && suspendedSince && exportedAt >= suspendedSince ? exportedAt : null;
  const [{ fetching, error }, offboard] = useMutation(OffboardTenantDocument);
  const form = useForm({
    initialValues: { confirmation: '', reason: '', withoutExport: false, code: '' },
    validate: {
      confirmation: (value) => (value.trim() === slug ? null : `Write ${slug}`),
      reason: (value) => (value.trim() === '' ? 'Say why' : null),
      withoutExport: (value) =>
        exported || value ? null : 'Export it first, or confirm that the hospital wants no export',
      code: codeRule,
    },
  });

  const submit = form.onSubmit(async (values) => {
    const { data } = await offboard({ input: { id, ...values } });
    // A code counts once.
    form.setFieldValue('code', '');
    if (data) onGone();
  });

  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm" maw={620}>
        <h2>Let {name} go</h2>
        <p>
          Its keys are destroyed and everything that is kept for it is deleted: patients, devices, readings,
          alarms, people. Its name and its audit trail stay. Nothing takes this back.
        </p>
        {exported ? (
          <p>
            Everything was exported <Age at={exported} suffix=" ago" />.
          </p>
        ) : (
          <>
            <p>
              Nothing was exported since it was suspended. Whoever runs the server does that with{' '}
              <code>
                iomt tenant export --slug {slug} --to {slug}-export
              </code>
            </p>
            <Checkbox
              label="The hospital wants no export"
              {...form.getInputProps('withoutExport', { type: 'checkbox' })}
            />
          </>
        )}
        <TextInput
          label="Slug of the hospital"
          description={`Write ${slug}, so that it is not another one`}
          autoComplete="off"
          data-autofocus
          {...form.getInputProps('confirmation')}
        />
        <Textarea label="Why" rows={2} maxLength={REASON_MAX} {...form.getInputProps('reason')} />
        <CodeField input={form.getInputProps('code')} />
        {error && <ErrorNotice error={error} detailed />}
        <Group justify="flex-end" gap="xs">
          <Button variant="subtle" onClick={onCancel}>
            Keep it
          </Button>
          <Button type="submit" color="red" loading={fetching}>
            Delete everything
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
