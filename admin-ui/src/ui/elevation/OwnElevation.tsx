import { Button, Group } from '@mantine/core';
import { useMutation } from 'urql';
import { enter } from '../../api/acting';
import { type ElevationFieldsFragment, EndElevationDocument } from '../../api/generated/graphql';
import { ErrorNotice } from '../feedback/ErrorNotice';
import { Age, Time } from '../time';
import { STANDING } from './standing';

interface OwnElevationProps {
  tenant: { id: string; name: string };
  elevation: ElevationFieldsFragment | undefined;
  onAsk: () => void;
  onChanged: () => void;
}

/** How it stands with an operator's access to a hospital, and the next step. */
export function OwnElevation({ tenant, elevation, onAsk, onChanged }: OwnElevationProps) {
  const [{ fetching, error }, end] = useMutation(EndElevationDocument);
  const open = elevation?.standing === 'WAITING' || elevation?.standing === 'IN_FORCE';
  if (!elevation || !open) {
    return (
      <Group gap="xs">
        {elevation && <span>{STANDING[elevation.standing]}</span>}
        <Button
          size="compact-xs"
          variant="default"
          aria-label={`Ask for access to ${tenant.name}`}
          onClick={onAsk}
        >
          Ask for access
        </Button>
      </Group>
    );
  }
  const inForce = elevation.standing === 'IN_FORCE';
  return (
    <Group gap="xs">
      {inForce && elevation.until ? (
        <>
          <Button
            size="compact-xs"
            aria-label={`Enter ${tenant.name} as ${elevation.role}`}
            onClick={() => enter(tenant.id)}
          >
            Enter
          </Button>
          <span>
            as {elevation.role}, until <Time at={elevation.until} />
          </span>
        </>
      ) : (
        <span>
          asked <Age at={elevation.askedAt} suffix=" ago" />
        </span>
      )}
      <Button
        size="compact-xs"
        variant="subtle"
        color="red"
        loading={fetching}
        aria-label={`${inForce ? 'End access' : 'Withdraw'}: ${tenant.name}`}
        onClick={async () => {
          const { data } = await end({ id: elevation.id, tenant: tenant.id });
          if (data) onChanged();
        }}
      >
        {inForce ? 'End access' : 'Withdraw'}
      </Button>
      {error && <ErrorNotice error={error} />}
    </Group>
  );
}
