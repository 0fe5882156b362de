import { Button, Group, Stack, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation } from 'urql';
import { CommandDeviceDocument } from '../api/generated/graphql';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import page from '../ui/page.module.css';

/** As the schema says. */
const NAME = /^[A-Za-z0-9_.-]+(\*[A-Za-z0-9_.-]+)?$/;

/** Has the device do something, and shows what it answers. */
export function CommandForm({ deviceId }: { deviceId: string }) {
  const [{ data, fetching, error }, command] = useMutation(CommandDeviceDocument);
  const form = useForm({
    initialValues: { name: '', body: '' },
    validate: {
      name: (name) => (NAME.test(name.trim()) ? null : 'Write what the device calls it, e.g. reboot'),
      body: (body) => problem(body),
    },
  });
  const submit = form.onSubmit(async ({ name, body }) => {
    const input = { device: deviceId, name: name.trim(), body: body.trim() === '' ? null : JSON.parse(body) };
    await command({ input });
  });
  const answer = data?.commandDevice;
  return (
    <section className={page.panel} aria-label="Command">
      <h2>Command</h2>
      <form onSubmit={submit} noValidate>
        <Stack gap="xs" maw={560}>
          <TextInput
            label="What it is to do"
            placeholder="reboot"
            autoComplete="off"
            spellCheck={false}
            {...form.getInputProps('name')}
          />
          <Textarea
            label="What else it has to know"
            description="JSON; nothing where the device needs nothing"
            rows={2}
            spellCheck={false}
            {...form.getInputProps('body')}
          />
          <Group justify="flex-end">
            <Button type="submit" variant="default" loading={fetching}>
              Have it done
            </Button>
          </Group>
        </Stack>
      </form>
      {error && <ErrorNotice error={error} detailed />}
      <output>
        {answer && !fetching && (
          <p className={page.note}>
            It answered <b>{answer.status}</b>{' '}
            <span className={page.mono}>{JSON.stringify(answer.body)}</span>
          </p>
        )}
      </output>
    </section>
  );
}

function problem(body: string): string | null {
  if (body.trim() === '') return null;
  try {
    JSON.parse(body);
    return null;
  } catch (error) {
    return `This is no JSON: ${error instanceof Error ? error.message : error}`;
  }
}
