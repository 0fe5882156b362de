import { Button, Group, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation } from 'urql';
import { CreateTenantDocument, type CreateTenantMutation } from '../api/generated/graphql';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { hereabouts, LocalityFields, localityInput, localityRules } from './LocalityFields';

export type CreatedTenant = CreateTenantMutation['createTenant'];

/** As the schema says. */
const SLUG = /^[a-z][a-z0-9-]{1,38}$/;

/** Takes a hospital aboard and invites its first administrator. */
export function TenantForm({
  onCreated,
  onCancel,
}: {
  onCreated: (created: CreatedTenant) => void;
  onCancel: () => void;
}) {
  const [{ fetching, error }, create] = useMutation(CreateTenantDocument);
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { name: '', slug: '', adminEmail: '', ...hereabouts() },
    validate: {
      name: (value) => (value.trim() === '' ? 'Enter the name of the hospital.' : null),
      slug: (value) =>
        SLUG.test(value.trim()) ? null : 'Use 2 to 39 of a-z, 0-9 and -, starting with a letter.',
      adminEmail: (value) => (value.includes('@') ? null : 'Enter an e-mail address.'),
      ...localityRules,
    },
  });

  const submit = form.onSubmit(async ({ name, slug, adminEmail, ...place }) => {
    const locality = localityInput(place);
    const input = { name: name.trim(), slug: slug.trim(), adminEmail: adminEmail.trim(), locality };
    const { data } = await create({ input });
    if (data) onCreated(data.createTenant);
  });

  return (
    <form onSubmit={submit} noValidate>
      <Group align="flex-start" grow>
        <TextInput label="Name" data-autofocus key={form.key('name')} {...form.getInputProps('name')} />
        <TextInput
          label="Slug"
          description="Stands in the user names of its devices"
          inputWrapperOrder={['label', 'input', 'description', 'error']}
          key={form.key('slug')}
          {...form.getInputProps('slug')}
        />
        <TextInput
          label="E-mail of its first administrator"
          type="email"
          key={form.key('adminEmail')}
          {...form.getInputProps('adminEmail')}
        />
      </Group>
      <LocalityFields form={form} />
      {error && <ErrorNotice error={error} />}
      <Group justify="flex-end" gap="xs" mt="md">
        <Button variant="subtle" onClick={onCancel}>
          Cancel
        </Button>
        <Button type="submit" loading={fetching}>
          Create hospital
        </Button>
      </Group>
    </form>
  );
}
