import { Button } from '@mantine/core';
import { useState } from 'react';
import { useMutation, useQuery } from 'urql';
import { AddDeviceAuthorityDocument, DeviceAuthoritiesDocument } from '../api/generated/graphql';
import { PemForm } from '../forms/PemForm';
import { Authority } from '../ui/device/Authority';
import { Empty } from '../ui/feedback/Empty';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { Loading } from '../ui/feedback/Loading';
import page from '../ui/page.module.css';
import { useRefetchOnReconnect } from '../ui/use-signed-in';
import { useTitle } from '../ui/use-title';

/** The certificate authorities whose devices the hospital lets in. */
export function DeviceAuthoritiesPage() {
  useTitle('Certificate authorities');
  const [{ data, error, fetching }, refetch] = useQuery({ query: DeviceAuthoritiesDocument });
  useRefetchOnReconnect(refetch);
  const [adding, setAdding] = useState(false);
  const [added, add] = useMutation(AddDeviceAuthorityDocument);
  const reload = () => refetch({ requestPolicy: 'network-only' });
  const authorities = data?.deviceAuthorities;
  return (
    <div className={page.page}>
      <div className={page.head}>
        <h1>Certificate authorities</h1>
        <span className={page.note}>A device that shows a certificate of one is the device it names</span>
        <span className={page.spacer} />
        {authorities && !adding && <Button onClick={() => setAdding(true)}>Add an authority</Button>}
      </div>
      {adding && (
        <section className={page.panel} aria-label="Add an authority">
          <PemForm
            label="Certificate of the authority"
            description="The one that signs your devices’ certificates, in PEM or DER; never its key. Every authority speaks for all devices of the hospital."
            holds="CERTIFICATE"
            submit="Add it"
            busy={added.fetching}
            error={added.error}
            onSubmit={async (certificate) => {
              if (!(await add({ certificate })).data) return;
              setAdding(false);
              reload();
            }}
            onCancel={() => setAdding(false)}
          />
        </section>
      )}
      {error && <ErrorNotice error={error} retry={reload} />}
      {!data && fetching && <Loading rows={3} label="Loading certificate authorities" />}
      {authorities?.length === 0 && !adding && (
        <Empty title="No certificate authorities">
          Devices connect with their tokens and keys. Where they have certificates (X.509) instead, add the
          authority that signs them.
        </Empty>
      )}
      {authorities?.map((authority) => (
        <Authority key={authority.id} authority={authority} onChanged={reload} />
      ))}
    </div>
  );
}
