import { Button } from '@mantine/core';
import { useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useMutation, useQuery } from 'urql';
import {
  type ApiTokenFieldsFragment,
  ApiTokensDocument,
  type CreateApiTokenMutation,
  RevokeApiTokenDocument,
} from '../api/generated/graphql';
import { ApiTokenForm } from '../forms/ApiTokenForm';
import { Empty } from '../ui/feedback/Empty';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { Loading } from '../ui/feedback/Loading';
import { OneTimeSecret } from '../ui/OneTimeSecret';
import { heldRole } from '../ui/org/held-role';
import { OfWhom } from '../ui/org/OfWhom';
import page from '../ui/page.module.css';
import { Age, Time } from '../ui/time';
import { useRefetchOnReconnect, useSignedIn } from '../ui/use-signed-in';
import { useTitle } from '../ui/use-title';

/** What the signed-in person, or with `?user=` somebody else, gave to programs. */
export function ApiTokensPage() {
  useTitle('API tokens');
  const { viewer } = useSignedIn();
  const { user } = useSearch({ from: '/authenticated/api-tokens' });
  const own = user === undefined || user === viewer.id;
  const [{ data, error, fetching }, refetch] = useQuery({
    query: ApiTokensDocument,
    variables: { user: own ? null : user },
  });
  useRefetchOnReconnect(refetch);
  const [making, setMaking] = useState(false);
  const [created, setCreated] = useState<CreateApiTokenMutation['createApiToken'] | null>(null);
  const reload = () => refetch({ requestPolicy: 'network-only' });
  return (
    <div className={page.page}>
      <div className={page.head}>
        <h1>API tokens{!own && <OfWhom user={user} />}</h1>
        <span className={page.spacer} />
        {own && !making && <Button onClick={() => setMaking(true)}>New token</Button>}
      </div>
      {making && (
        <section className={page.panel} aria-label="New token">
          <ApiTokenForm
            onCancel={() => setMaking(false)}
            onCreated={(result) => {
              setMaking(false);
              setCreated(result);
              reload();
            }}
          />
        </section>
      )}
      {created && (
        <section className={page.panel} role="status" aria-label="Token made">
          <OneTimeSecret label={`Token for ${created.token.name}`} secret={created.secret} />
        </section>
      )}
      {error && <ErrorNotice error={error} retry={reload} />}
      {!data && fetching && <Loading rows={3} label="Loading API tokens" />}
      {data?.apiTokens.length === 0 && (
        <Empty title="No tokens">
          A program that calls the API in your name presents a token: with one of your roles, for a time.
        </Empty>
      )}
      {data && data.apiTokens.length > 0 && (
        <section className={page.panel} aria-label="Tokens">
          <table className={page.plain}>
            <thead>
              <tr>
                <th scope="col">For</th>
                <th scope="col">Begins with</th>
                <th scope="col">Rights</th>
                <th scope="col">Made</th>
                <th scope="col">Last used</th>
                <th scope="col">Until</th>
                <th scope="col">Revoke</th>
              </tr>
            </thead>
            <tbody>
              {data.apiTokens.map((token) => (
                <TokenRow key={token.id} token={token} onRevoked={reload} />
              ))}
            </tbody>
          </table>
        </section>
      )}
    </div>
  );
}

function TokenRow({ token, onRevoked }: { token: ApiTokenFieldsFragment; onRevoked: () => void }) {
  const [{ fetching, error }, revoke] = useMutation(RevokeApiTokenDocument);
  return (
    <tr>
      <td>
        <strong>{token.name}</strong>
      </td>
      <td className={page.mono}>{token.prefix}…</td>
      <td>
        {rightsOf(token)}
        {token.topics && <div className={page.soft}>{topicsOf(token.topics)}</div>}
      </td>
      <td>
        <Time at={token.createdAt} />
      </td>
      <td>
        {token.lastUsedAt ? (
          <Age at={token.lastUsedAt} suffix=" ago" />
        ) : (
          <span className={page.soft}>never</span>
        )}
      </td>
      <td>{token.expiresAt ? <Time at={token.expiresAt} /> : <span className={page.soft}>no end</span>}</td>
      <td>
        <Button
          size="compact-xs"
          variant="default"
          loading={fetching}
          aria-label={`Revoke ${token.name}`}
          onClick={async () => {
            const { data } = await revoke({ id: token.id });
            if (data) onRevoked();
          }}
        >
          Revoke
        </Button>
        {error && <ErrorNotice error={error} />}
      </td>
    </tr>
  );
}

function topicsOf({ allow, deny }: NonNullable<ApiTokenFieldsFragment['topics']>): string {
  const but = deny.length > 0 ? `, but not ${deny.join(', ')}` : '';
  return `MQTT topics ${allow.join(', ')}${but}`;
}

function rightsOf({ role, unit }: ApiTokenFieldsFragment): string {
  if (role === null) return 'all of its owner';
  return unit ? heldRole({ role, unit }) : `${role}, nowhere: the unit is gone`;
}
