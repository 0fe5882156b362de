import { Button, Group } from '@mantine/core';
import { useState } from 'react';
import { useMutation } from 'urql';
import { type PersonFragment, ResetSecondFactorDocument } from '../api/generated/graphql';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';

/** Takes away the second factor of somebody who has lost their phone and their recovery codes. */
export function SecondFactorReset({ person, onReset }: { person: PersonFragment; onReset: () => void }) {
  const [asking, setAsking] = useState(false);
  const [{ fetching, error }, reset] = useMutation(ResetSecondFactorDocument);
  if (!asking) {
    return (
      <Button
        size="compact-xs"
        variant="default"
        aria-label={`Reset second factor of ${person.displayName}`}
        onClick={() => setAsking(true)}
      >
        Reset
      </Button>
    );
  }
  return (
    <>
      <p>Make sure that it is {person.displayName} who asks: afterwards the password alone lets them in.</p>
      <Group gap="xs">
        <Button
          size="compact-xs"
          color="red"
          loading={fetching}
          onClick={async () => {
            const { data } = await reset({ user: person.id });
            if (data) onReset();
          }}
        >
          Reset it
        </Button>
        <Button size="compact-xs" variant="subtle" onClick={() => setAsking(false)}>
          Cancel
        </Button>
      </Group>
      {error && <ErrorNotice error={error} />}
    </>
  );
}
