import { Button, Group, TextInput } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useMutation, useQuery } from 'urql';
import {
  GrantRoleDocument,
  InviteUserDocument,
  type InviteUserMutation,
  PeopleDocument,
  type PeopleQuery,
  type PersonFragment,
  RevokeRoleDocument,
} from '../api/generated/graphql';
import { RoleForm } from '../forms/RoleForm';
import { SecondFactorReset } from '../forms/SecondFactorReset';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { Loading } from '../ui/feedback/Loading';
import { invitationLink, OneTimeLink } from '../ui/OneTimeLink';
import { heldRole } from '../ui/org/held-role';
import page from '../ui/page.module.css';
import { Time } from '../ui/time';
import { useRefetchOnReconnect, useSignedIn } from '../ui/use-signed-in';
import { useTitle } from '../ui/use-title';

/** Who works in the hospital, and which role each holds where. */
export function PeoplePage() {
  useTitle('People');
  const { may } = useSignedIn();
  const [{ data, error, fetching }, refetch] = useQuery({ query: PeopleDocument });
  useRefetchOnReconnect(refetch);
  const [inviting, setInviting] = useState(false);
  const [changed, setChanged] = useState<string | null>(null);
  const reload = () => refetch({ requestPolicy: 'network-only' });
  const person = data?.users.find(({ id }) => id === changed);

  return (
    <div className={page.page}>
      <div className={page.head}>
        <h1>People</h1>
        {data && <span className={page.note}>{data.users.length} in the hospital</span>}
        <span className={page.spacer} />
        {may('token:read') && (
          <Link to="/service-clients" className={page.link}>
            Service clients
          </Link>
        )}
        {may('user:write') && !inviting && <Button onClick={() => setInviting(true)}>Invite somebody</Button>}
      </div>
      {error && <ErrorNotice error={error} retry={reload} />}
      {!data && fetching && <Loading rows={5} label="Loading people" />}
      {data && inviting && <Invitation known={data} onClose={() => setInviting(false)} />}
      {data && person && (
        <RolesOf
          key={person.id}
          person={person}
          known={data}
          onChanged={reload}
          onClose={() => setChanged(null)}
        />
      )}
      {data && (
        <section className={page.panel} aria-label="People of the hospital">
          <table className={page.plain}>
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">E-mail</th>
                <th scope="col">Roles</th>
                <th scope="col">Second factor</th>
                {may('role:write') && <th scope="col">Change</th>}
              </tr>
            </thead>
            <tbody>
              {data.users.map((user) => (
                <tr key={user.id}>
                  <td>
                    <strong>{user.displayName}</strong>
                  </td>
                  <td>{user.email}</td>
                  <td>{user.roles.map(heldRole).join(', ') || <span className={page.soft}>no role</span>}</td>
                  <td>
                    {user.secondFactorSince ? (
                      <>
                        since <Time at={user.secondFactorSince} />{' '}
                        {may('user:write') && <SecondFactorReset person={user} onReset={reload} />}
                      </>
                    ) : (
                      <span className={page.soft}>none</span>
                    )}
                  </td>
                  {may('role:write') && (
                    <td>
                      <Button
                        size="compact-xs"
                        variant="default"
                        aria-label={`Change roles of ${user.displayName}`}
                        onClick={() => setChanged(user.id)}
                      >
                        Roles
                      </Button>{' '}
                      {may('token:read') && (
                        <Link
                          to="/api-tokens"
                          search={{ user: user.id }}
                          className={page.link}
                          aria-label={`API tokens of ${user.displayName}`}
                        >
                          Tokens
                        </Link>
                      )}{' '}
                      {may('token:read') && (
                        <Link
                          to="/sessions"
                          search={{ user: user.id }}
                          className={page.link}
                          aria-label={`Sessions of ${user.displayName}`}
                        >
                          Sessions
                        </Link>
                      )}
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </div>
  );
}

function Invitation({ known, onClose }: { known: PeopleQuery; onClose: () => void }) {
  const [email, setEmail] = useState('');
  const [invited, setInvited] = useState<InviteUserMutation['inviteUser'] | null>(null);
  const [{ fetching, error }, invite] = useMutation(InviteUserDocument);
  return (
    <section className={page.panel} aria-label="Invitation">
      <h2>Invite somebody</h2>
      <Group align="flex-end" gap="xs">
        <TextInput
          label="E-mail"
          type="email"
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <RoleForm
          label="Make the link"
          busy={fetching}
          roleNames={known.roleNames}
          units={known.orgUnits}
          onChosen={async (role, unit) => {
            const { data } = await invite({ input: { email: email.trim(), role, unit } });
            if (data) setInvited(data.inviteUser);
          }}
        />
        <Button variant="subtle" onClick={onClose}>
          Close
        </Button>
      </Group>
      {error && <ErrorNotice error={error} />}
      {invited && (
        <OneTimeLink label={`Link for ${invited.email}`} href={invitationLink(invited.invitationToken)} />
      )}
    </section>
  );
}

interface RolesOfProps {
  person: PersonFragment;
  known: PeopleQuery;
  onChanged: () => void;
  onClose: () => void;
}

function RolesOf({ person, known, onChanged, onClose }: RolesOfProps) {
  const [granting, grant] = useMutation(GrantRoleDocument);
  const [revoking, revoke] = useMutation(RevokeRoleDocument);
  const error = granting.error ?? revoking.error;
  const changing = async (role: string, unit: string, change: 'give' | 'take') => {
    const input = { user: person.id, role, unit };
    const { data } = await (change === 'give' ? grant({ input }) : revoke({ input }));
    if (data) onChanged();
  };
  return (
    <section className={page.panel} aria-label={`Roles of ${person.displayName}`}>
      <h2>Roles of {person.displayName}</h2>
      <ul>
        {person.roles.map((held) => (
          <li key={`${held.role} ${held.unit.id}`}>
            {heldRole(held)}{' '}
            <Button
              size="compact-xs"
              variant="subtle"
              loading={revoking.fetching}
              aria-label={`Take away ${heldRole(held)}`}
              onClick={() => changing(held.role, held.unit.id, 'take')}
            >
              Take away
            </Button>
          </li>
        ))}
      </ul>
      <Group align="flex-end" gap="xs">
        <RoleForm
          label="Give this role"
          busy={granting.fetching}
          roleNames={known.roleNames}
          units={known.orgUnits}
          onChosen={(role, unit) => changing(role, unit, 'give')}
        />
        <Button variant="subtle" onClick={onClose}>
          Close
        </Button>
      </Group>
      {error && <ErrorNotice error={error} />}
    </section>
  );
}
