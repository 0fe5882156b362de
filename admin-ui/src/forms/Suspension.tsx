import { Button, Group, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useMutation } from 'urql';
import { ResumeTenantDocument, SuspendTenantDocument, type TenantsQuery } from '../api/generated/graphql';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';

interface SuspensionProps {
  tenant: TenantsQuery['tenants'][number];
  onChanged: () => void;
}

/** Cuts a hospital off, for a reason, or serves it again. */
export function Suspension({ tenant: { id, name, suspendedSince }, onChanged }: SuspensionProps) {
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState('');
  const [suspending, suspend] = useMutation(SuspendTenantDocument);
  const [resuming, resume] = useMutation(ResumeTenantDocument);
  const error = suspending.error ?? resuming.error;
  if (suspendedSince) {
    return (
      <>
        <Button
          size="compact-xs"
          variant="default"
          loading={resuming.fetching}
          aria-label={`Serve again: ${name}`}
          onClick={async () => {
            const { data } = await resume({ id });
            if (data) onChanged();
          }}
        >
          Serve again
        </Button>
        {error && <ErrorNotice error={error} />}
      </>
    );
  }
  if (!asking) {
    return (
      <Button
        size="compact-xs"
        variant="default"
        aria-label={`Suspend ${name}`}
        onClick={() => setAsking(true)}
      >
        Suspend
      </Button>
    );
  }
  return (
    <>
      <TextInput
        label="Why"
        description="Stands in the hospital’s audit trail. Its devices and people are cut off within seconds."
        inputWrapperOrder={['label', 'input', 'description']}
        maxLength={500}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <Group gap="xs" mt="xs">
        <Button
          size="compact-xs"
          color="red"
          disabled={reason.trim() === ''}
          loading={suspending.fetching}
          onClick={async () => {
            const { data } = await suspend({ id, reason: reason.trim() });
            if (!data) return;
            setAsking(false);
            onChanged();
          }}
        >
          Suspend it
        </Button>
        <Button size="compact-xs" variant="subtle" onClick={() => setAsking(false)}>
          Keep serving it
        </Button>
      </Group>
      {error && <ErrorNotice error={error} />}
    </>
  );
}
