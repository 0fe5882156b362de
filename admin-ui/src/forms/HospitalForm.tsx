import { Button, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';

/** Asks which hospital somebody belongs to; whether there is one of this name is not told. */
export function HospitalForm({ onHospital }: { onHospital: (slug: string) => void }) {
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { hospital: '' },
    validate: {
      hospital: (value) => (value.trim() === '' ? 'Enter the short name of your hospital.' : null),
    },
  });
  return (
    <form onSubmit={form.onSubmit(({ hospital }) => onHospital(hospital.trim().toLowerCase()))} noValidate>
      <Stack gap="md">
        <TextInput
          label="Hospital"
          description="Its short name, for example st-elsewhere"
          autoComplete="organization"
          autoFocus
          key={form.key('hospital')}
          {...form.getInputProps('hospital')}
        />
        <Button type="submit" variant="default" fullWidth>
          Continue
        </Button>
      </Stack>
    </form>
  );
}
