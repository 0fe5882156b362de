import { Button, Group, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import { useClient, useMutation } from 'urql';
import {
  PreviewRoleDocument,
  type PreviewRoleQuery,
  type RoleFieldsFragment,
  type RolesQuery,
  SaveRoleDocument,
} from '../api/generated/graphql';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { RolePreview } from '../ui/org/RolePreview';
import classes from './form.module.css';
import { newPolicy, type OwnRoleValues, roleChecks, roleInput, roleValues } from './own-role-values';
import { PolicyFields } from './PolicyFields';

interface OwnRoleFormProps {
  /** The role to begin with: one to change, a built-in one to copy, or null for an empty one. */
  from: RoleFieldsFragment | null;
  objects: RolesQuery['policyObjects'];
  onSaved: () => void;
  onCancel: () => void;
}

export function OwnRoleForm({ from, objects, onSaved, onCancel }: OwnRoleFormProps) {
  const edited = from && !from.builtIn ? from : null;
  const client = useClient();
  const [{ fetching, error }, save] = useMutation(SaveRoleDocument);
  const [trying, setTrying] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const [preview, setPreview] = useState<PreviewRoleQuery['previewRole'] | null>(null);
  const form = useForm<OwnRoleValues>({
    initialValues: roleValues(from),
    validate: roleChecks,
    // What was told is about what was written then.
    onValuesChange: () => setPreview(null),
  });

  const tryIt = form.onSubmit(async (values) => {
    setTrying(true);
    const asked = client.query(
      PreviewRoleDocument,
      { input: roleInput(values, edited) },
      { requestPolicy: 'network-only' },
    );
    const { data, error: refused } = await asked.toPromise();
    setTrying(false);
    setFailure(refused ?? null);
    setPreview(data?.previewRole ?? null);
  });
  const submit = form.onSubmit(async (values) => {
    setFailure(null);
    const { data } = await save({ input: roleInput(values, edited) });
    if (data) onSaved();
  });

  return (
    <form onSubmit={submit} noValidate aria-label="Role">
      <Stack gap="md" maw={860}>
        <div className={classes.pair}>
          <TextInput
            label="Title"
            description="What people call it"
            withAsterisk
            {...form.getInputProps('title')}
          />
          <TextInput
            label="Name"
            description={edited ? 'Cannot be changed: grants hold it' : 'As grants hold it, e.g. night-nurse'}
            withAsterisk
            readOnly={edited !== null}
            {...form.getInputProps('name')}
          />
        </div>
        {form.values.policies.map((_, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a policy is its place, the form keeps it under it.
          <PolicyFields key={at} form={form} objects={objects} at={at} />
        ))}
        <Group>
          <Button variant="default" size="xs" onClick={() => form.insertListItem('policies', newPolicy())}>
            Add a policy
          </Button>
        </Group>
        {preview && <RolePreview preview={preview} />}
        {(error || failure) != null && <ErrorNotice error={failure ?? error} />}
        <Group gap="sm">
          <Button type="submit" loading={fetching}>
            {edited ? 'Save role' : 'Add role'}
          </Button>
          <Button variant="default" loading={trying} onClick={() => tryIt()}>
            Try it
          </Button>
          <Button variant="subtle" onClick={onCancel}>
            Cancel
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
