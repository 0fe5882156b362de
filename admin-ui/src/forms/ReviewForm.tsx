import { Button, Group, Textarea } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useMutation } from 'urql';
import { ReviewOpeningDocument } from '../api/generated/graphql';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';

/** As the schema says. */
const NOTE_MAX = 500;

/** What was found when somebody looked at an opening. It stays as it is written. */
export function ReviewForm({ opening, onDone }: { opening: string; onDone: () => void }) {
  const [note, setNote] = useState('');
  const [{ fetching, error }, review] = useMutation(ReviewOpeningDocument);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const { data } = await review({ id: opening, note: note.trim() });
    if (data) onDone();
  };
  return (
    <form onSubmit={submit}>
      <Textarea
        label="What you found"
        rows={2}
        maxLength={NOTE_MAX}
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
      {error && <ErrorNotice error={error} detailed />}
      <Group justify="flex-end" mt="xs">
        <Button size="xs" type="submit" disabled={note.trim() === ''} loading={fetching}>
          Reviewed
        </Button>
      </Group>
    </form>
  );
}
