import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useQuery } from 'urql';
import { OwnElevationsDocument, TenantsDocument, type TenantsQuery } from '../api/generated/graphql';
import { DataKey } from '../forms/DataKey';
import { ElevationForm } from '../forms/ElevationForm';
import { LocalityForm } from '../forms/LocalityForm';
import { Offboarding } from '../forms/Offboarding';
import { Suspension } from '../forms/Suspension';
import { type CreatedTenant, TenantForm } from '../forms/TenantForm';
import { OwnElevation } from '../ui/elevation/OwnElevation';
import { Empty } from '../ui/feedback/Empty';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { Loading } from '../ui/feedback/Loading';
import { invitationLink, OneTimeLink } from '../ui/OneTimeLink';
import page from '../ui/page.module.css';
import { Age, formatTime } from '../ui/time';
import { useRefetchOnReconnect, useSignedIn } from '../ui/use-signed-in';
import { useTitle } from '../ui/use-title';

type Hospital = TenantsQuery['tenants'][number];

/** How often it is looked whether a hospital that leaves is deleted. */
const LEAVING_MS = 1_000;
/** And whether one has answered an operator. */
const WAITING_MS = 5_000;

/** For operators, who run the installation and see no patient of any hospital. */
export function TenantsPage() {
  useTitle('Hospitals');
  const [{ data, error, fetching }, refetch] = useQuery({ query: TenantsDocument });
  useRefetchOnReconnect(refetch);
  const { may } = useSignedIn();
  const [adding, setAdding] = useState(false);
  const [created, setCreated] = useState<CreatedTenant | null>(null);
  const [{ data: own }, refetchOwn] = useQuery({ query: OwnElevationsDocument });
  useRefetchOnReconnect(refetchOwn);
  const [asking, setAsking] = useState<Hospital | null>(null);
  const [letGo, setLetGo] = useState<Hospital | null>(null);
  const [moved, setMoved] = useState<Hospital | null>(null);
  const tenants = data?.tenants ?? [];
  const leaving = tenants.some(({ departedSince, erasedAt }) => departedSince && !erasedAt);
  // A hospital answers when it likes.
  const waiting = own?.ownElevations.some(({ standing }) => standing === 'WAITING') ?? false;
  useEffect(() => {
    if (!waiting) return;
    const looking = setInterval(refetchOwn, WAITING_MS);
    return () => clearInterval(looking);
  }, [waiting, refetchOwn]);
  useEffect(() => {
    if (!leaving) return;
    const looking = setInterval(() => refetch({ requestPolicy: 'network-only' }), LEAVING_MS);
    return () => clearInterval(looking);
  }, [leaving, refetch]);
  return (
    <div className={page.page}>
      <div className={page.head}>
        <h1>Hospitals</h1>
        {data && <span className={page.note}>{tenants.length} in this installation</span>}
        <span className={page.spacer} />
        {may('tenant:write') && !adding && <Button onClick={() => setAdding(true)}>New hospital</Button>}
      </div>
      {adding && (
        <section className={page.panel} aria-label="New hospital">
          <TenantForm
            onCancel={() => setAdding(false)}
            onCreated={(result) => {
              setAdding(false);
              setCreated(result);
              refetch({ requestPolicy: 'network-only' });
            }}
          />
        </section>
      )}
      {created && (
        <section className={page.panel} role="status" aria-label="Hospital created">
          <h2>
            {created.tenant.name} {created.created ? 'is aboard' : 'was aboard already'}
          </h2>
          {created.invitationToken ? (
            <OneTimeLink
              label="Link for its first administrator"
              href={invitationLink(created.invitationToken)}
            />
          ) : (
            <p>Its administrator has an account already.</p>
          )}
        </section>
      )}
      {moved && (
        <section className={page.panel} aria-label={`Where ${moved.name} is`}>
          <LocalityForm
            tenant={moved}
            onDone={() => {
              setMoved(null);
              refetch({ requestPolicy: 'network-only' });
            }}
          />
        </section>
      )}
      {asking && (
        <section className={page.panel} aria-label={`Access to ${asking.name}`}>
          <ElevationForm
            tenant={asking}
            onDone={() => {
              setAsking(null);
              refetchOwn({ requestPolicy: 'network-only' });
            }}
          />
        </section>
      )}
      {letGo && (
        <section className={page.panel} aria-label={`Let ${letGo.name} go`}>
          <Offboarding
            tenant={letGo}
            onCancel={() => setLetGo(null)}
            onGone={() => {
              setLetGo(null);
              refetch({ requestPolicy: 'network-only' });
            }}
          />
        </section>
      )}
      {error && <ErrorNotice error={error} retry={refetch} />}
      {!data && fetching && <Loading rows={3} label="Loading hospitals" />}
      {data && tenants.length === 0 && (
        <Empty title="No hospitals yet">
          Create the first one with “New hospital”, or look at two of the demo with <code>iomt demo</code>.
        </Empty>
      )}
      {tenants.length > 0 && (
        <section className={page.panel} aria-label="Hospitals">
          <table className={page.plain}>
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Slug</th>
                <th scope="col">Id</th>
                <th scope="col">Where</th>
                <th scope="col">State</th>
                <th scope="col">Access</th>
                <th scope="col">Data key</th>
                {may('tenant:write') && <th scope="col">Change</th>}
              </tr>
            </thead>
            <tbody>
              {tenants.map((tenant) => (
                <tr key={tenant.id}>
                  <td>
                    <strong>{tenant.name}</strong>{' '}
                    {!tenant.departedSince && (
                      <Link
                        to="/usage"
                        search={{ tenant: tenant.id }}
                        className={page.link}
                        aria-label={`Usage of ${tenant.name}`}
                      >
                        Usage
                      </Link>
                    )}
                  </td>
                  <td>
                    <code className={page.mono}>{tenant.slug}</code>
                  </td>
                  <td>
                    <code className={`${page.mono} ${page.soft}`}>{tenant.id}</code>
                  </td>
                  <td>
                    {[tenant.region, tenant.locale, tenant.timeZone].filter(Boolean).join(' · ') ||
                      'not said'}{' '}
                    {may('tenant:write') && !tenant.departedSince && (
                      <Button
                        size="compact-xs"
                        variant="subtle"
                        aria-label={`Change where ${tenant.name} is`}
                        onClick={() => setMoved(tenant)}
                      >
                        Change
                      </Button>
                    )}
                  </td>
                  <td>
                    <State tenant={tenant} />
                  </td>
                  <td>
                    {may('tenant:write') && !tenant.departedSince && (
                      <OwnElevation
                        tenant={tenant}
                        elevation={own?.ownElevations.find(({ tenantId }) => tenantId === tenant.id)}
                        onAsk={() => setAsking(tenant)}
                        onChanged={() => refetchOwn({ requestPolicy: 'network-only' })}
                      />
                    )}
                  </td>
                  <td>
                    <DataKey tenant={tenant} mayRotate={may('tenant:write')} onRotated={refetch} />
                  </td>
                  {may('tenant:write') && (
                    <td>
                      {!tenant.departedSince && <Suspension tenant={tenant} onChanged={refetch} />}
                      {!tenant.departedSince && tenant.suspendedSince && (
                        <Button
                          size="compact-xs"
                          color="red"
                          variant="subtle"
                          aria-label={`Let it go: ${tenant.name}`}
                          onClick={() => setLetGo(tenant)}
                        >
                          Let it go
                        </Button>
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

function State({ tenant: { suspendedSince, departedSince, erasedAt } }: { tenant: Hospital }) {
  if (erasedAt) return <>left, deleted {formatTime(erasedAt)}</>;
  if (departedSince) return <>leaves, is being deleted</>;
  if (!suspendedSince) return <>served</>;
  return (
    <>
      suspended for <Age at={suspendedSince} />
    </>
  );
}
