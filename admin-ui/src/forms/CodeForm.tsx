import { Button, type ButtonProps, Group, TextInput } from '@mantine/core';
import { useState } from 'react';

interface CodeFormProps {
  /** What the button does. */
  action: string;
  label: string;
  busy: boolean;
  color?: ButtonProps['color'];
  onCode: (code: string) => void;
  onCancel: () => void;
}

/** Asks for a code of the authenticator app. */
export function CodeForm({ action, label, busy, color, onCode, onCancel }: CodeFormProps) {
  const [code, setCode] = useState('');
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (code.trim()) onCode(code);
      }}
    >
      <Group align="flex-end" gap="xs">
        <TextInput
          label={label}
          autoComplete="one-time-code"
          autoFocus
          value={code}
          onChange={(event) => setCode(event.currentTarget.value)}
        />
        <Button type="submit" color={color} loading={busy} disabled={!code.trim()}>
          {action}
        </Button>
        <Button variant="subtle" onClick={onCancel}>
          Cancel
        </Button>
      </Group>
    </form>
  );
}
