import { Button, Group, NumberInput, Stack } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation } from 'urql';
import { type QuotaFieldsFragment, SetQuotasDocument } from '../api/generated/graphql';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';

const MOST = 1_000_000_000;
const MOST_DAYS = 36_500;

interface QuotaFormProps {
  tenant: string;
  quotas: QuotaFieldsFragment;
  onDone: () => void;
}

/** Says what a hospital may use. */
export function QuotaForm({ tenant, quotas, onDone }: QuotaFormProps) {
  const [{ fetching, error }, set] = useMutation(SetQuotasDocument);
  const amount = (value: number | string) =>
    Number.isInteger(value) && Number(value) >= 1 ? null : `Enter a whole number, 1 to ${MOST}.`;
  const form = useForm<Record<keyof Omit<QuotaFieldsFragment, '__typename'>, number | string>>({
    mode: 'uncontrolled',
    initialValues: {
      devices: quotas.devices,
      users: quotas.users,
      messagesPerSecond: quotas.messagesPerSecond,
      deviceMessagesPerSecond: quotas.deviceMessagesPerSecond,
      queryCostPerMinute: quotas.queryCostPerMinute,
      storedDays: quotas.storedDays ?? '',
    },
    validate: {
      devices: amount,
      users: amount,
      messagesPerSecond: amount,
      deviceMessagesPerSecond: amount,
      queryCostPerMinute: amount,
      storedDays: (value) => (value === '' ? null : amount(value)),
    },
  });
  const submit = form.onSubmit(async ({ storedDays, ...amounts }) => {
    const { data } = await set({
      tenant,
      input: {
        devices: Number(amounts.devices),
        users: Number(amounts.users),
        messagesPerSecond: Number(amounts.messagesPerSecond),
        deviceMessagesPerSecond: Number(amounts.deviceMessagesPerSecond),
        queryCostPerMinute: Number(amounts.queryCostPerMinute),
        storedDays: storedDays === '' ? null : Number(storedDays),
      },
    });
    if (data) onDone();
  });
  const numeric = {
    min: 1,
    max: MOST,
    allowDecimal: false,
    thousandSeparator: ' ',
    clampBehavior: 'none',
  } as const;
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm">
        <Group align="flex-start" gap="sm">
          <NumberInput
            label="Devices"
            {...numeric}
            key={form.key('devices')}
            {...form.getInputProps('devices')}
          />
          <NumberInput
            label="People with an account"
            {...numeric}
            key={form.key('users')}
            {...form.getInputProps('users')}
          />
          <NumberInput
            label="Messages a second"
            {...numeric}
            key={form.key('messagesPerSecond')}
            {...form.getInputProps('messagesPerSecond')}
          />
          <NumberInput
            label="Messages a second, one device"
            {...numeric}
            key={form.key('deviceMessagesPerSecond')}
            {...form.getInputProps('deviceMessagesPerSecond')}
          />
          <NumberInput
            label="Query cost a minute"
            {...numeric}
            key={form.key('queryCostPerMinute')}
            {...form.getInputProps('queryCostPerMinute')}
          />
          <NumberInput
            label="Days that messages are kept"
            description="Empty: for good. What is older is deleted within an hour, and nothing brings it back."
            inputWrapperOrder={['label', 'input', 'description', 'error']}
            {...numeric}
            max={MOST_DAYS}
            w={280}
            key={form.key('storedDays')}
            {...form.getInputProps('storedDays')}
          />
        </Group>
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
