import { Button, Group, Stack } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation } from 'urql';
import { LocateTenantDocument, type TenantsQuery } from '../api/generated/graphql';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { LocalityFields, localityInput, localityRules } from './LocalityFields';

interface LocalityFormProps {
  tenant: TenantsQuery['tenants'][number];
  onDone: () => void;
}

/** Says where a hospital is. */
export function LocalityForm({ tenant: { id, name, region, locale, timeZone }, onDone }: LocalityFormProps) {
  const [{ fetching, error }, locate] = useMutation(LocateTenantDocument);
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { region: region ?? '', locale: locale ?? '', timeZone: timeZone ?? '' },
    validate: localityRules,
  });
  const submit = form.onSubmit(async (values) => {
    const { data } = await locate({ id, locality: localityInput(values) });
    if (data) onDone();
  });
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm">
        <h2>Where {name} is</h2>
        <LocalityFields form={form} />
        {error && <ErrorNotice error={error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="subtle" onClick={onDone}>
            Cancel
          </Button>
          <Button type="submit" loading={fetching}>
            Save
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
