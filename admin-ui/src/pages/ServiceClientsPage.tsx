import { Button, Code, Stack } from '@mantine/core';
import { useState } from 'react';
import { useQuery } from 'urql';
import {
  type CreateServiceClientMutation,
  type ServiceClientFieldsFragment,
  ServiceClientsDocument,
} from '../api/generated/graphql';
import { ServiceClientChange } from '../forms/ServiceClientChange';
import { ServiceClientForm } from '../forms/ServiceClientForm';
import { Empty } from '../ui/feedback/Empty';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { Loading } from '../ui/feedback/Loading';
import { OneTimeSecret } from '../ui/OneTimeSecret';
import { heldRole } from '../ui/org/held-role';
import page from '../ui/page.module.css';
import { Age, Time } from '../ui/time';
import { useRefetchOnReconnect, useSignedIn } from '../ui/use-signed-in';
import { useTitle } from '../ui/use-title';

type Told = CreateServiceClientMutation['createServiceClient'];

/** The programs that act for the hospital itself, with a role of their own. */
export function ServiceClientsPage() {
  useTitle('Service clients');
  const { may } = useSignedIn();
  const [{ data, error, fetching }, refetch] = useQuery({ query: ServiceClientsDocument });
  useRefetchOnReconnect(refetch);
  const [making, setMaking] = useState(false);
  const [told, setTold] = useState<Told | null>(null);
  const reload = () => refetch({ requestPolicy: 'network-only' });
  const mayWrite = may('token:write') && may('role:write');
  const tell = (secret: Told | null) => {
    setMaking(false);
    setTold(secret);
    reload();
  };
  return (
    <div className={page.page}>
      <div className={page.head}>
        <h1>Service clients</h1>
        <span className={page.note}>
          Programs that act for the hospital itself (OAuth 2 client credentials)
        </span>
        <span className={page.spacer} />
        {data && mayWrite && !making && <Button onClick={() => setMaking(true)}>New client</Button>}
      </div>
      {data && making && (
        <section className={page.panel} aria-label="New client">
          <ServiceClientForm roleNames={data.roleNames} onCancel={() => setMaking(false)} onCreated={tell} />
        </section>
      )}
      {told && <SecretTold {...told} />}
      {error && <ErrorNotice error={error} retry={reload} />}
      {!data && fetching && <Loading rows={3} label="Loading service clients" />}
      {data?.serviceClients.length === 0 && (
        <Empty title="No service clients">
          A program that belongs to nobody in particular, such as the interface of an electronic health
          record, gets a role of its own here and goes on when people leave.
        </Empty>
      )}
      {data && data.serviceClients.length > 0 && (
        <section className={page.panel} aria-label="Clients">
          <table className={page.plain}>
            <thead>
              <tr>
                <th scope="col">Program</th>
                <th scope="col">Role</th>
                <th scope="col">Secret begins with</th>
                <th scope="col">Last token</th>
                <th scope="col">Until</th>
                <th scope="col">State</th>
                {mayWrite && <th scope="col">Change</th>}
              </tr>
            </thead>
            <tbody>
              {data.serviceClients.map((client) => (
                <tr key={client.id}>
                  <td>
                    <strong>{client.name}</strong>
                    <div className={`${page.mono} ${page.soft}`}>{client.id}</div>
                  </td>
                  <td>{rightsOf(client)}</td>
                  <td className={page.mono}>{client.prefix}…</td>
                  <td>
                    {client.lastUsedAt ? (
                      <Age at={client.lastUsedAt} suffix=" ago" />
                    ) : (
                      <span className={page.soft}>never</span>
                    )}
                  </td>
                  <td>
                    {client.expiresAt ? (
                      <Time at={client.expiresAt} />
                    ) : (
                      <span className={page.soft}>no end</span>
                    )}
                  </td>
                  <td>
                    {client.disabledAt ? (
                      <>
                        disabled since <Time at={client.disabledAt} />
                      </>
                    ) : (
                      'may act'
                    )}
                  </td>
                  {mayWrite && (
                    <td>
                      <ServiceClientChange client={client} onRenewed={tell} onChanged={() => tell(null)} />
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

/** The secret, and how it becomes a token. */
function SecretTold({ client, secret }: Told) {
  const address = `${window.location.origin}/oauth/token`;
  return (
    <section className={page.panel} role="status" aria-label="Secret made">
      <Stack gap="sm">
        <OneTimeSecret label={`Secret of ${client.name}`} secret={secret} />
        <p className={page.note}>
          With it the program gets an access token that counts for 15 minutes, and calls the API with that:
        </p>
        <Code block>{`curl -u '${client.id}:SECRET' -d grant_type=client_credentials ${address}`}</Code>
      </Stack>
    </section>
  );
}

function rightsOf({ role, unit }: ServiceClientFieldsFragment): string {
  return unit ? heldRole({ role, unit }) : `${role}, nowhere: the unit is gone`;
}
