import { Button, Stack } from '@mantine/core';
import { useState } from 'react';
import { useMutation } from 'urql';
import {
  AddDeviceCertificateDocument,
  type DeviceQuery,
  RemoveDeviceCertificateDocument,
} from '../../api/generated/graphql';
import { PemForm } from '../../forms/PemForm';
import { ErrorNotice } from '../feedback/ErrorNotice';
import { SureOfIt } from '../feedback/SureOfIt';
import page from '../page.module.css';
import { Time } from '../time';

type Own = NonNullable<DeviceQuery['device']>['certificates'][number];

/** As many has a device at most: the one that it shows, and the next one. */
const MAX = 2;

interface OwnCertificatesProps {
  deviceId: string;
  certificates: readonly Own[];
  onChanged: () => void;
}

/** Certificates by which the device is let in, whoever has signed them. */
export function OwnCertificates({ deviceId, certificates, onChanged }: OwnCertificatesProps) {
  const [adding, setAdding] = useState(false);
  const [{ fetching, error }, add] = useMutation(AddDeviceCertificateDocument);
  return (
    <section className={page.panel} aria-label="Its own certificates">
      <div className={page.head}>
        <h2>Its own certificates</h2>
        <span className={page.spacer} />
        {!adding && certificates.length < MAX && (
          <Button size="compact-xs" variant="default" onClick={() => setAdding(true)}>
            Add a certificate
          </Button>
        )}
      </div>
      <Stack gap="sm" mt="xs">
        {certificates.length === 0 && !adding && (
          <p className={page.note}>
            None. With one, it is let in without a certificate authority; it may have signed itself.
          </p>
        )}
        {certificates.map((certificate) => (
          <OwnCertificate
            key={certificate.fingerprint}
            deviceId={deviceId}
            certificate={certificate}
            onChanged={onChanged}
          />
        ))}
        {adding && (
          <PemForm
            label={`Certificate of ${deviceId}`}
            description={`In PEM or DER, never its key. Its common name has to be ${deviceId}.`}
            holds="CERTIFICATE"
            submit="Add it"
            busy={fetching}
            error={error}
            onSubmit={async (certificate) => {
              if (!(await add({ device: deviceId, certificate })).data) return;
              setAdding(false);
              onChanged();
            }}
            onCancel={() => setAdding(false)}
          />
        )}
      </Stack>
    </section>
  );
}

interface OwnCertificateProps {
  deviceId: string;
  certificate: Own;
  onChanged: () => void;
}

function OwnCertificate({ deviceId, certificate, onChanged }: OwnCertificateProps) {
  const { fingerprint, notAfter, provenAt } = certificate;
  const [asking, setAsking] = useState(false);
  const [{ fetching, error }, remove] = useMutation(RemoveDeviceCertificateDocument);
  return (
    <div>
      <div className={page.head}>
        <span>
          Counts until <Time at={notAfter} />
          {provenAt && (
            <>
              , first shown <Time at={provenAt} />
            </>
          )}
        </span>
        {!asking && (
          <Button size="compact-xs" variant="default" onClick={() => setAsking(true)}>
            Remove
          </Button>
        )}
      </div>
      <p className={`${page.mono} ${page.soft} ${page.small}`}>SHA-256 {fingerprint}</p>
      {!provenAt && (
        <p className={page.note}>
          The device has not shown it yet. The first time, it has to name the hospital: by id scope, host or
          user name.
        </p>
      )}
      {asking && (
        <SureOfIt
          warning="If the device is connected with it, it is cut off at once."
          label="Remove it"
          busy={fetching}
          onKeep={() => setAsking(false)}
          onSure={async () => {
            if ((await remove({ device: deviceId, fingerprint })).data) onChanged();
          }}
        />
      )}
      {error && <ErrorNotice error={error} detailed />}
    </div>
  );
}
