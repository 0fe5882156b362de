import { Button, Popover } from '@mantine/core';
import { useState } from 'react';
import type { Alarm } from '../../api/feed/alarms';
import { AcknowledgeForm } from '../../forms/AcknowledgeForm';

/** Opens the small form beside the button; the page under it stays usable. */
export function AcknowledgeButton({ alarm }: { alarm: Alarm }) {
  const [opened, setOpened] = useState(false);
  if (alarm.state !== 'RAISED') return null;
  return (
    <Popover
      opened={opened}
      onChange={setOpened}
      width={300}
      position="bottom-end"
      trapFocus
      returnFocus
      shadow="md"
    >
      <Popover.Target>
        <Button
          size="xs"
          variant="default"
          onClick={() => setOpened(!opened)}
          aria-label={`Acknowledge ${alarm.title}`}
        >
          Acknowledge
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label={`Acknowledge ${alarm.title}`}>
        <AcknowledgeForm alarm={alarm} onDone={() => setOpened(false)} />
      </Popover.Dropdown>
    </Popover>
  );
}
