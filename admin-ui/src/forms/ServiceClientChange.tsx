import { Button, Group } from '@mantine/core';
import { useState } from 'react';
import { useMutation } from 'urql';
import {
  DisableServiceClientDocument,
  RemoveServiceClientDocument,
  RenewServiceClientDocument,
  type RenewServiceClientMutation,
  type ServiceClientFieldsFragment,
} from '../api/generated/graphql';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { SureOfIt } from '../ui/feedback/SureOfIt';

type Renewed = RenewServiceClientMutation['renewServiceClient'];

interface ServiceClientChangeProps {
  client: ServiceClientFieldsFragment;
  onRenewed: (renewed: Renewed) => void;
  onChanged: () => void;
}

/** A new secret, a pause, the end. What stops a program that runs is asked twice. */
export function ServiceClientChange({ client, onRenewed, onChanged }: ServiceClientChangeProps) {
  const { id, name, disabledAt } = client;
  const [asking, setAsking] = useState<'renew' | 'remove' | null>(null);
  const [renewing, renew] = useMutation(RenewServiceClientDocument);
  const [disabling, disable] = useMutation(DisableServiceClientDocument);
  const [removing, remove] = useMutation(RemoveServiceClientDocument);
  const error = renewing.error ?? disabling.error ?? removing.error;
  const verb = disabledAt ? 'Enable' : 'Disable';
  return (
    <>
      {asking === null && (
        <Group gap="xs">
          <Button
            size="compact-xs"
            variant="default"
            loading={disabling.fetching}
            aria-label={`${verb} ${name}`}
            onClick={async () => {
              const { data } = await disable({ id, disabled: !disabledAt });
              if (data) onChanged();
            }}
          >
            {verb}
          </Button>
          <Button
            size="compact-xs"
            variant="default"
            aria-label={`New secret for ${name}`}
            onClick={() => setAsking('renew')}
          >
            New secret
          </Button>
          <Button
            size="compact-xs"
            variant="subtle"
            aria-label={`Remove ${name}`}
            onClick={() => setAsking('remove')}
          >
            Remove
          </Button>
        </Group>
      )}
      {asking === 'renew' && (
        <SureOfIt
          warning="The secret that it has now is refused at once, with every token that it got."
          label="Make a new secret"
          busy={renewing.fetching}
          onKeep={() => setAsking(null)}
          onSure={async () => {
            const { data } = await renew({ id });
            if (!data) return;
            setAsking(null);
            onRenewed(data.renewServiceClient);
          }}
        />
      )}
      {asking === 'remove' && (
        <SureOfIt
          warning="It is refused for good. What it did stays in the audit trail."
          label="Remove it"
          busy={removing.fetching}
          onKeep={() => setAsking(null)}
          onSure={async () => {
            const { data } = await remove({ id });
            if (data) onChanged();
          }}
        />
      )}
      {error && <ErrorNotice error={error} />}
    </>
  );
}
