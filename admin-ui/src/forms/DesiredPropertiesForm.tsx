import { Button, Group, Stack, Textarea } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation } from 'urql';
import { SetDesiredPropertiesDocument } from '../api/generated/graphql';
import { readObject } from '../ui/device/property-rows';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';

interface DesiredPropertiesFormProps {
  deviceId: string;
  /** With true once they are changed. */
  onDone: (changed: boolean) => void;
}

/** What of the device is to change. */
export function DesiredPropertiesForm({ deviceId, onDone }: DesiredPropertiesFormProps) {
  const [{ fetching, error }, set] = useMutation(SetDesiredPropertiesDocument);
  const form = useForm({
    initialValues: { patch: '' },
    validate: {
      patch: (text) => {
        const read = readObject(text);
        return typeof read === 'string' ? read : null;
      },
    },
  });
  const submit = form.onSubmit(async ({ patch }) => {
    const { data } = await set({ device: deviceId, patch: readObject(patch) });
    if (data) onDone(true);
  });
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="xs" mt="sm" maw={560}>
        <Textarea
          label="What is to change"
          description="A JSON object. What it does not name stays as it is; null takes a property away."
          placeholder={'{ "sampleRate": 250 }'}
          rows={3}
          autoFocus
          spellCheck={false}
          {...form.getInputProps('patch')}
        />
        {error && <ErrorNotice error={error} detailed />}
        <Group justify="flex-end" gap="xs">
          <Button variant="subtle" onClick={() => onDone(false)}>
            Cancel
          </Button>
          <Button type="submit" loading={fetching}>
            Ask it of the device
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
