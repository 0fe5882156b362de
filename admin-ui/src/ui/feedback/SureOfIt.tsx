import { Button, Group } from '@mantine/core';

interface SureOfItProps {
  warning: string;
  label: string;
  busy: boolean;
  onSure: () => void;
  onKeep: () => void;
}

/** Asks again before something that cannot be taken back. */
export function SureOfIt({ warning, label, busy, onSure, onKeep }: SureOfItProps) {
  return (
    <>
      <p>{warning}</p>
      <Group gap="xs">
        <Button size="compact-xs" color="red" loading={busy} onClick={onSure}>
          {label}
        </Button>
        <Button size="compact-xs" variant="subtle" onClick={onKeep}>
          Leave it as it is
        </Button>
      </Group>
    </>
  );
}
