import { Button, Group } from '@mantine/core';
import { useMutation } from 'urql';
import { RotateDataKeyDocument, type TenantsQuery } from '../api/generated/graphql';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { Age } from '../ui/time';

interface DataKeyProps {
  tenant: TenantsQuery['tenants'][number];
  mayRotate: boolean;
  onRotated: () => void;
}

/** What seals a hospital's secrets and its patients' names, and another in its place. */
export function DataKey({ tenant: { id, name, dataKey }, mayRotate, onRotated }: DataKeyProps) {
  const [{ fetching, error }, rotate] = useMutation(RotateDataKeyDocument);
  if (!dataKey) return <>none</>;
  return (
    <Group gap="xs">
      <span>
        no. {dataKey.version}, <Age at={dataKey.createdAt} suffix=" old" />
      </span>
      {mayRotate && (
        <Button
          size="compact-xs"
          variant="default"
          loading={fetching}
          aria-label={`Rotate the data key of ${name}`}
          onClick={async () => {
            const { data } = await rotate({ tenant: id });
            if (data) onRotated();
          }}
        >
          Rotate
        </Button>
      )}
      {error && <ErrorNotice error={error} />}
    </Group>
  );
}
