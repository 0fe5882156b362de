import { Button, FileButton, Group, Stack, Textarea } from '@mantine/core';
import { useState } from 'react';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { type PemLabel, pemOf } from './pem';

interface PemFormProps {
  label: string;
  description: string;
  holds: PemLabel;
  submit: string;
  busy: boolean;
  error: unknown;
  onSubmit: (pem: string) => void;
  onCancel?: () => void;
}

/** A certificate or a revocation list, pasted or from a file. */
export function PemForm(props: PemFormProps) {
  const { label, description, holds, submit, busy, error, onSubmit, onCancel } = props;
  const [text, setText] = useState('');
  const ready = text.trim() !== '';
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) onSubmit(text);
      }}
    >
      <Stack gap="xs">
        <Textarea
          label={label}
          description={description}
          placeholder={`-----BEGIN ${holds}-----`}
          autosize
          minRows={3}
          maxRows={10}
          spellCheck={false}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Group gap="xs">
          <Button type="submit" loading={busy} disabled={!ready}>
            {submit}
          </Button>
          <FileButton
            onChange={async (file) => {
              if (file) setText(pemOf(new Uint8Array(await file.arrayBuffer()), holds));
            }}
          >
            {(open) => (
              <Button variant="default" {...open}>
                From a file
              </Button>
            )}
          </FileButton>
          {onCancel && (
            <Button variant="subtle" onClick={onCancel}>
              Cancel
            </Button>
          )}
        </Group>
        {error !== undefined && <ErrorNotice error={error} detailed />}
      </Stack>
    </form>
  );
}
