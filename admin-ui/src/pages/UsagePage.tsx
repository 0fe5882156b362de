import { Button, Space } from '@mantine/core';
import { useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useQuery } from 'urql';
import { TenantsDocument, UsageDocument, type UsageQuery } from '../api/generated/graphql';
import { QuotaForm } from '../forms/QuotaForm';
import { Empty } from '../ui/feedback/Empty';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { Loading } from '../ui/feedback/Loading';
import page from '../ui/page.module.css';
import { counted } from '../ui/usage/amounts';
import { DaysOfMessages } from '../ui/usage/DaysOfMessages';
import { MqttFigures } from '../ui/usage/MqttFigures';
import { QuotaTable } from '../ui/usage/QuotaTable';
import { useRefetchOnReconnect, useSignedIn } from '../ui/use-signed-in';
import { useTitle } from '../ui/use-title';

/** How often it is looked how fast the hospital goes. */
const LOOK_MS = 5_000;

/** What the hospital, or for operators with `?tenant=` any, uses of what it may. */
export function UsagePage() {
  useTitle('Usage');
  const { viewer, may } = useSignedIn();
  const { tenant } = useSearch({ from: '/authenticated/usage' });
  const [{ data, error, fetching }, refetch] = useQuery({
    query: UsageDocument,
    variables: { tenant: tenant ?? null },
  });
  const [{ data: known }] = useQuery({ query: TenantsDocument, pause: !tenant });
  useRefetchOnReconnect(refetch);
  useEffect(() => {
    const looking = setInterval(() => refetch({ requestPolicy: 'network-only' }), LOOK_MS);
    return () => clearInterval(looking);
  }, [refetch]);
  const [changing, setChanging] = useState(false);
  const name = tenant ? known?.tenants.find(({ id }) => id === tenant)?.name : viewer.tenant?.name;
  const usage = data?.usage;
  return (
    <div className={page.page}>
      <div className={page.head}>
        <h1>Usage{name && ` of ${name}`}</h1>
        <span className={page.spacer} />
        {tenant && usage && may('tenant:write') && !changing && (
          <Button onClick={() => setChanging(true)}>Change the quotas</Button>
        )}
      </div>
      {usage && tenant && changing && (
        <section className={page.panel} aria-label="Quotas">
          <QuotaForm
            tenant={tenant}
            quotas={usage.quotas}
            onDone={() => {
              setChanging(false);
              refetch({ requestPolicy: 'network-only' });
            }}
          />
        </section>
      )}
      {error && !usage && <ErrorNotice error={error} retry={refetch} />}
      {!usage && fetching && <Loading rows={5} label="Loading usage" />}
      {usage && (
        <>
          <section className={page.panel} aria-label="In use">
            <QuotaTable usage={usage} />
            <Space h="sm" />
            <p className={page.note}>{heldToInWords(usage)}</p>
            {!tenant && (
              <p className={page.note}>Whoever runs this installation says how much there may be.</p>
            )}
          </section>
          <section className={page.panel} aria-label="Over MQTT">
            <h2>Over MQTT</h2>
            <MqttFigures mqtt={usage.mqtt} clients={usage.quotas.clients} />
          </section>
          <section className={page.panel} aria-label="Messages by day">
            <h2>Messages by day</h2>
            {usage.days.length === 0 ? (
              <Empty title="None in the last 30 days" />
            ) : (
              <DaysOfMessages days={usage.days} />
            )}
          </section>
        </>
      )}
    </div>
  );
}

/** What did not keep to the rates. */
export function heldToInWords({
  heldBack,
  refusedMessages,
  refusedQueries,
}: Pick<UsageQuery['usage'], 'heldBack' | 'refusedMessages' | 'refusedQueries'>): string {
  if (heldBack + refusedMessages + refusedQueries === 0) {
    return 'Nothing had to wait or was refused since the server started.';
  }
  const parts = [
    heldBack > 0 && `messages that waited: ${counted(heldBack)}`,
    refusedMessages > 0 && `messages that had to be sent again: ${counted(refusedMessages)}`,
    refusedQueries > 0 && `queries that were refused: ${counted(refusedQueries)}`,
  ];
  return `Since the server started: ${parts.filter(Boolean).join(', ')}.`;
}
