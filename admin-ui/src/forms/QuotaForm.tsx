import { Button, Fieldset, Group, NumberInput, Stack } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation } from 'urql';
import { type QuotaFieldsFragment, SetQuotasDocument } from '../api/generated/graphql';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import page from '../ui/page.module.css';

const MOST = 1_000_000_000;
const MOST_DAYS = 36_500;

type Amounts = Omit<QuotaFieldsFragment, '__typename' | 'clients' | 'storedDays'>;
type Clients = Omit<QuotaFieldsFragment['clients'], '__typename'>;

interface Field<K> {
  name: K;
  label: string;
  least?: number;
  most?: number;
}

/** What the hospital as a whole may use. */
const AMOUNTS: readonly Field<keyof Amounts>[] = [
  { name: 'devices', label: 'Devices' },
  { name: 'users', label: 'People with an account' },
  { name: 'messagesPerSecond', label: 'Messages a second' },
  { name: 'deviceMessagesPerSecond', label: 'Messages a second, one device' },
  { name: 'queryCostPerMinute', label: 'Query cost a minute' },
];

/** What devices and programs may take up over MQTT. */
const CLIENTS: readonly Field<keyof Clients>[] = [
  { name: 'connections', label: 'Connected at once' },
  { name: 'packetBytes', label: 'Largest packet, in bytes', least: 1024, most: 266_240 },
  { name: 'receiveMaximum', label: 'Unacknowledged, sent by it', most: 65_535 },
  { name: 'inFlight', label: 'Unacknowledged, sent to it', most: 65_535 },
  { name: 'queuedMessages', label: 'Waiting for it, besides', most: 100_000 },
  { name: 'subscriptions', label: 'Subscriptions', most: 1000 },
];

type Entered<T> = Record<keyof T, number | string>;

const initial = <K extends string>(fields: readonly Field<K>[], of: Record<K, number>) =>
  Object.fromEntries(fields.map(({ name }) => [name, of[name]])) as Record<K, number | string>;

const numbers = <K extends string>(fields: readonly Field<K>[], of: Record<K, number | string>) =>
  Object.fromEntries(fields.map(({ name }) => [name, Number(of[name])])) as Record<K, number>;

const within =
  ({ least = 1, most = MOST }: { least?: number; most?: number }) =>
  (value: number | string) =>
    Number.isInteger(value) && Number(value) >= least && Number(value) <= most
      ? null
      : `Enter a whole number, ${least} to ${most}.`;

const validators = <K extends string>(fields: readonly Field<K>[]) =>
  Object.fromEntries(fields.map((field) => [field.name, within(field)]));

interface QuotaFormProps {
  tenant: string;
  quotas: QuotaFieldsFragment;
  onDone: () => void;
}

/** Says what a hospital may use. */
export function QuotaForm({ tenant, quotas, onDone }: QuotaFormProps) {
  const [{ fetching, error }, set] = useMutation(SetQuotasDocument);
  const days = within({ most: MOST_DAYS });
  const form = useForm<Entered<Amounts> & { clients: Entered<Clients>; storedDays: number | string }>({
    mode: 'uncontrolled',
    initialValues: {
      ...initial(AMOUNTS, quotas),
      clients: initial(CLIENTS, quotas.clients),
      storedDays: quotas.storedDays ?? '',
    },
    validate: {
      ...validators(AMOUNTS),
      clients: validators(CLIENTS),
      storedDays: (value) => (value === '' ? null : days(value)),
    },
  });
  const submit = form.onSubmit(async ({ storedDays, clients, ...amounts }) => {
    const { data } = await set({
      tenant,
      input: {
        ...numbers(AMOUNTS, amounts),
        clients: numbers(CLIENTS, clients),
        storedDays: storedDays === '' ? null : Number(storedDays),
      },
    });
    if (data) onDone();
  });
  const numeric = {
    allowDecimal: false,
    thousandSeparator: ' ',
    clampBehavior: 'none',
  } as const;
  const input = ({ label, least = 1, most = MOST }: Field<string>, path: string) => (
    <NumberInput
      {...numeric}
      label={label}
      min={least}
      max={most}
      key={form.key(path)}
      {...form.getInputProps(path)}
    />
  );
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm">
        <Group align="flex-start" gap="sm">
          {AMOUNTS.map((field) => input(field, field.name))}
          <NumberInput
            {...numeric}
            label="Days that messages are kept"
            description="Empty: for good. What is older is deleted within an hour, and nothing brings it back."
            inputWrapperOrder={['label', 'input', 'description', 'error']}
            min={1}
            max={MOST_DAYS}
            w={280}
            key={form.key('storedDays')}
            {...form.getInputProps('storedDays')}
          />
        </Group>
        <Fieldset legend="Over MQTT">
          <Stack gap="sm">
            <p className={page.note}>
              How many devices and programs may be connected, and what each of them may take up, from its next
              connection on.
            </p>
            <Group align="flex-start" gap="sm">
              {CLIENTS.map((field) => input(field, `clients.${field.name}`))}
            </Group>
          </Stack>
        </Fieldset>
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
