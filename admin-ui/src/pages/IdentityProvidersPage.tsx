import { Button, Group } from '@mantine/core';
import { useState } from 'react';
import { useMutation, useQuery } from 'urql';
import {
  DeleteIdentityProviderDocument,
  IdentityProvidersDocument,
  type ProviderFieldsFragment,
} from '../api/generated/graphql';
import { IdentityProviderForm } from '../forms/IdentityProviderForm';
import { RegisteredAddresses } from '../ui/entry/RegisteredAddresses';
import { Empty } from '../ui/feedback/Empty';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { Loading } from '../ui/feedback/Loading';
import { heldRole } from '../ui/org/held-role';
import page from '../ui/page.module.css';
import { useRefetchOnReconnect, useSignedIn } from '../ui/use-signed-in';
import { useTitle } from '../ui/use-title';

/** Where the hospital's people sign in outside the platform. */
export function IdentityProvidersPage() {
  useTitle('Sign-in');
  const { viewer, may } = useSignedIn();
  const [{ data, error, fetching }, refetch] = useQuery({ query: IdentityProvidersDocument });
  useRefetchOnReconnect(refetch);
  const [edited, setEdited] = useState<'new' | ProviderFieldsFragment | null>(null);
  const reload = () => refetch({ requestPolicy: 'network-only' });
  const mayWrite = may('identity_provider:write') && may('role:write');
  const provider = edited === 'new' ? null : edited;

  return (
    <div className={page.page}>
      <div className={page.head}>
        <h1>Sign-in</h1>
        <span className={page.note}>Identity providers of the hospital (OpenID Connect)</span>
        <span className={page.spacer} />
        {mayWrite && !edited && <Button onClick={() => setEdited('new')}>Enrol a provider</Button>}
      </div>
      {error && <ErrorNotice error={error} retry={reload} />}
      {!data && fetching && <Loading rows={2} label="Loading identity providers" />}
      {data && edited && (
        <>
          <RegisteredAddresses slug={viewer.tenant?.slug ?? ''} providerId={provider?.id ?? null} />
          <section className={page.panel} key={provider?.id ?? 'new'}>
            <IdentityProviderForm
              provider={provider}
              roleNames={data.roleNames}
              units={data.orgUnits}
              onSaved={(saved) => {
                // A new one stays open: its back-channel address is to be copied.
                setEdited(provider ? null : saved);
                reload();
              }}
              onCancel={() => setEdited(null)}
            />
          </section>
        </>
      )}
      {data && !edited && data.identityProviders.length === 0 && (
        <Empty title="No identity provider yet">
          People sign in with a password of this platform. Enrol your hospital’s directory, and they use the
          account that they have already.
        </Empty>
      )}
      {data && !edited && data.identityProviders.length > 0 && (
        <ProviderTable
          providers={data.identityProviders}
          onEdit={mayWrite ? setEdited : null}
          onRemoved={reload}
        />
      )}
    </div>
  );
}

interface ProviderTableProps {
  providers: ProviderFieldsFragment[];
  /** Null for who may only look. */
  onEdit: ((provider: ProviderFieldsFragment) => void) | null;
  onRemoved: () => void;
}

function ProviderTable({ providers, onEdit, onRemoved }: ProviderTableProps) {
  return (
    <section className={page.panel} aria-label="Identity providers">
      <table className={page.plain}>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Issuer</th>
            <th scope="col">Groups and roles</th>
            <th scope="col">State</th>
            {onEdit && <th scope="col">Change</th>}
          </tr>
        </thead>
        <tbody>
          {providers.map((provider) => (
            <tr key={provider.id}>
              <td>
                <strong>{provider.name}</strong>
              </td>
              <td className={page.mono}>{provider.issuer}</td>
              <td>
                {provider.roles.map((entry) => (
                  <div key={`${entry.group} ${entry.role} ${entry.unit.id}`}>
                    {entry.group}: {heldRole(entry)}
                  </div>
                ))}
                {provider.defaultRole && <div>everybody else: {provider.defaultRole}</div>}
              </td>
              <td>{provider.enabled ? 'on' : 'switched off'}</td>
              {onEdit && (
                <td>
                  <Change provider={provider} onEdit={onEdit} onRemoved={onRemoved} />
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface ChangeProps {
  provider: ProviderFieldsFragment;
  onEdit: (provider: ProviderFieldsFragment) => void;
  onRemoved: () => void;
}

/** Removing takes the way in from everybody who came through it, so it is asked twice. */
function Change({ provider, onEdit, onRemoved }: ChangeProps) {
  const [asking, setAsking] = useState(false);
  const [{ fetching, error }, remove] = useMutation(DeleteIdentityProviderDocument);
  if (!asking) {
    return (
      <Group gap="xs">
        <Button
          size="compact-xs"
          variant="default"
          aria-label={`Edit ${provider.name}`}
          onClick={() => onEdit(provider)}
        >
          Edit
        </Button>
        <Button
          size="compact-xs"
          variant="subtle"
          aria-label={`Remove ${provider.name}`}
          onClick={() => setAsking(true)}
        >
          Remove
        </Button>
      </Group>
    );
  }
  return (
    <>
      <p>Everybody who came through it is signed out and has no way in.</p>
      <Group gap="xs">
        <Button
          size="compact-xs"
          color="red"
          loading={fetching}
          onClick={async () => {
            const { data } = await remove({ id: provider.id });
            if (data) onRemoved();
          }}
        >
          Remove it
        </Button>
        <Button size="compact-xs" variant="subtle" onClick={() => setAsking(false)}>
          Keep it
        </Button>
      </Group>
      {error && <ErrorNotice error={error} />}
    </>
  );
}
