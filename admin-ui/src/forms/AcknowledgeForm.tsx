import { Button, Group, Stack, Textarea } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useMutation } from 'urql';
import type { Alarm } from '../api/feed/alarms';
import { AcknowledgeAlarmDocument } from '../api/generated/graphql';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { useSignedIn } from '../ui/use-signed-in';

/** As the schema says. */
const NOTE_MAX = 500;

export function AcknowledgeForm({ alarm, onDone }: { alarm: Alarm; onDone: () => void }) {
  const { alarms, may } = useSignedIn();
  const [note, setNote] = useState('');
  const [{ fetching, error }, acknowledge] = useMutation(AcknowledgeAlarmDocument);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const { data } = await acknowledge({
      input: { id: alarm.id, note: note.trim() || null },
      withDevice: may('device:read'),
    });
    if (!data) return;
    alarms.merge([data.acknowledgeAlarm]);
    onDone();
  };

  return (
    <form onSubmit={submit}>
      <Stack gap="xs">
        <Textarea
          label="Note (optional)"
          data-autofocus
          rows={3}
          maxLength={NOTE_MAX}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        {error && <ErrorNotice error={error} />}
        <Group justify="flex-end" gap="xs">
          <Button size="xs" variant="subtle" onClick={onDone}>
            Cancel
          </Button>
          <Button size="xs" type="submit" loading={fetching}>
            Acknowledge alarm
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
