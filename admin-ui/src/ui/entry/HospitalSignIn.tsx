import { Button, Stack } from '@mantine/core';
import { useEffect, useState } from 'react';
import { type Entrance, entrancesOf } from '../../api/session';
import { ErrorNotice } from '../feedback/ErrorNotice';

/** The buttons of a hospital's own identity providers. They leave this page, so they are links. */
export function HospitalSignIn({ hospital, next }: { hospital: string; next: string | undefined }) {
  const [entrances, setEntrances] = useState<Entrance[] | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  useEffect(() => {
    let current = true;
    entrancesOf(hospital).then(
      (found) => current && setEntrances(found),
      (error: unknown) => current && setFailure(error),
    );
    return () => {
      current = false;
    };
  }, [hospital]);
  if (failure !== null) return <ErrorNotice error={failure} />;
  if (!entrances) return null;
  if (entrances.length === 0) return <p>{hospital} has no sign-in of its own here.</p>;
  const query = next ? `?next=${encodeURIComponent(next)}` : '';
  return (
    <Stack gap="xs">
      {entrances.map(({ name, start }) => (
        <Button key={start} component="a" href={start + query} fullWidth>
          Continue with {name}
        </Button>
      ))}
    </Stack>
  );
}
