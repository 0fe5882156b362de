import { Select } from '@mantine/core';
import { Link, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useQuery } from 'urql';
import { EffectiveAccessDocument, PeopleDocument } from '../api/generated/graphql';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { Loading } from '../ui/feedback/Loading';
import { BackIcon } from '../ui/icons';
import { AccessExplained } from '../ui/org/AccessExplained';
import page from '../ui/page.module.css';
import { useTitle } from '../ui/use-title';

/** Why somebody can, or cannot, see a patient, a device or an alarm. */
export function AccessPage() {
  useTitle('Who may see this');
  const { row, id } = useSearch({ from: '/authenticated/access' });
  const [user, setUser] = useState<string | null>(null);
  const [people] = useQuery({ query: PeopleDocument });
  const [{ data, error, fetching }] = useQuery({
    query: EffectiveAccessDocument,
    variables: { user: user ?? '', row, id },
    pause: user === null,
    requestPolicy: 'network-only',
  });
  const known = people.data?.users ?? [];
  const who = known.find((person) => person.id === user)?.displayName ?? '';
  return (
    <div className={page.page}>
      <div>
        {row !== 'ALARM' && (
          <Link
            {...(row === 'PATIENT'
              ? { to: '/patients/$patientId', params: { patientId: id } }
              : { to: '/devices/$deviceId', params: { deviceId: id } })}
            className={page.back}
          >
            <BackIcon /> The {row.toLowerCase()}
          </Link>
        )}
        <div className={page.head}>
          <h1>Who may see this {row.toLowerCase()}</h1>
        </div>
      </div>
      <section className={page.panel}>
        <Select
          label="Person"
          placeholder="Choose somebody of the hospital"
          data={known.map((person) => ({
            value: person.id,
            label: `${person.displayName}, ${person.email}`,
          }))}
          value={user}
          onChange={setUser}
          searchable
          maw={480}
        />
      </section>
      {(people.error || error) && <ErrorNotice error={people.error ?? error} />}
      {user && fetching && <Loading rows={2} label="Looking at the policies" />}
      {user && data && !fetching && <AccessExplained who={who} explained={data.effectiveAccess} />}
    </div>
  );
}
