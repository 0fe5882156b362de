import { Button, Group } from '@mantine/core';
import { useState } from 'react';
import { useMutation, useQuery } from 'urql';
import { DeleteRoleDocument, type RoleFieldsFragment, RolesDocument } from '../api/generated/graphql';
import { OwnRoleForm } from '../forms/OwnRoleForm';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { Loading } from '../ui/feedback/Loading';
import page from '../ui/page.module.css';
import { useRefetchOnReconnect, useSignedIn } from '../ui/use-signed-in';
import { useTitle } from '../ui/use-title';

/** What each role may do; built-in ones stay as they are, a hospital makes further ones. */
export function RolesPage() {
  useTitle('Roles');
  const { may } = useSignedIn();
  const [{ data, error, fetching }, refetch] = useQuery({ query: RolesDocument });
  useRefetchOnReconnect(refetch);
  const [edited, setEdited] = useState<'new' | RoleFieldsFragment | null>(null);
  const [opened, setOpened] = useState<string | null>(null);
  const [removal, remove] = useMutation(DeleteRoleDocument);
  const reload = () => refetch({ requestPolicy: 'network-only' });
  const mayWrite = may('role:write');

  return (
    <div className={page.page}>
      <div className={page.head}>
        <h1>Roles</h1>
        <span className={page.note}>What people may do, in which rows, without which columns</span>
        <span className={page.spacer} />
        {mayWrite && !edited && <Button onClick={() => setEdited('new')}>New role</Button>}
      </div>
      {(error || removal.error) && <ErrorNotice error={error ?? removal.error} retry={reload} />}
      {!data && fetching && <Loading rows={7} label="Loading roles" />}
      {data && edited && (
        <section className={page.panel}>
          <h2>{headline(edited)}</h2>
          <OwnRoleForm
            key={edited === 'new' ? 'new' : edited.name}
            from={edited === 'new' ? null : edited}
            objects={data.policyObjects}
            onSaved={() => {
              setEdited(null);
              reload();
            }}
            onCancel={() => setEdited(null)}
          />
        </section>
      )}
      {data && !edited && (
        <section className={page.panel} aria-label="Roles">
          <table className={page.plain}>
            <thead>
              <tr>
                <th scope="col">Role</th>
                <th scope="col">Held by</th>
                <th scope="col">May</th>
                {mayWrite && <th scope="col">Change</th>}
              </tr>
            </thead>
            <tbody>
              {data.roles.map((role) => (
                <tr key={role.name}>
                  <td className={page.whole}>
                    <strong>{role.title}</strong>
                    <div className={`${page.soft} ${page.small}`}>
                      {role.name}
                      {role.builtIn && ', built in'}
                    </div>
                  </td>
                  <td className={page.whole}>{role.holders === 1 ? '1 person' : `${role.holders} people`}</td>
                  <td>
                    <Policies
                      role={role}
                      open={opened === role.name}
                      onOpen={(open) => setOpened(open ? role.name : null)}
                    />
                  </td>
                  {mayWrite && (
                    <td>
                      <Group gap="xs" wrap="nowrap">
                        <Button
                          size="compact-xs"
                          variant="default"
                          aria-label={`${role.builtIn ? 'Copy' : 'Edit'} ${role.title}`}
                          onClick={() => setEdited(role)}
                        >
                          {role.builtIn ? 'Copy' : 'Edit'}
                        </Button>
                        {!role.builtIn && (
                          <Button
                            size="compact-xs"
                            variant="subtle"
                            loading={removal.fetching}
                            aria-label={`Remove ${role.title}`}
                            onClick={async () => {
                              const removed = await remove({ name: role.name });
                              if (removed.data) reload();
                            }}
                          >
                            Remove
                          </Button>
                        )}
                      </Group>
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

function headline(edited: 'new' | RoleFieldsFragment): string {
  if (edited === 'new') return 'New role';
  return edited.builtIn ? `New role, from ${edited.title}` : edited.title;
}

interface PoliciesProps {
  role: RoleFieldsFragment;
  open: boolean;
  onOpen: (open: boolean) => void;
}

/** The actions at a glance; rows and hidden columns for whoever opens it. */
function Policies({ role, open, onOpen }: PoliciesProps) {
  return (
    <>
      {!open && role.policies.map(({ object, action }) => `${object}:${action}`).join(' ')}
      {open && (
        <ul>
          {role.policies.map(({ object, action, rows, hiddenColumns }) => (
            <li key={`${object} ${action} ${rows}`}>
              <code>
                {object}:{action}
              </code>{' '}
              {rows === 'all' ? 'in all rows' : <>where {rows}</>}
              {hiddenColumns.length > 0 && `, without ${hiddenColumns.join(', ')}`}
            </li>
          ))}
        </ul>
      )}{' '}
      <Button
        size="compact-xs"
        variant="subtle"
        aria-expanded={open}
        aria-label={`${open ? 'Less' : 'More'} about ${role.title}`}
        onClick={() => onOpen(!open)}
      >
        {open ? 'Less' : 'More'}
      </Button>
    </>
  );
}
