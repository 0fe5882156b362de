import { Button, Code, Stack } from '@mantine/core';
import { useCallback, useState } from 'react';
import { useMutation } from 'urql';
import {
  type DeviceAuthorityFieldsFragment,
  ProveDeviceAuthorityDocument,
  RemoveDeviceAuthorityDocument,
  SetRevocationListDocument,
} from '../../api/generated/graphql';
import { PemForm } from '../../forms/PemForm';
import { ErrorNotice } from '../feedback/ErrorNotice';
import { SureOfIt } from '../feedback/SureOfIt';
import page from '../page.module.css';
import { Time, useTicking } from '../time';
import classes from './device.module.css';

interface AuthorityProps {
  authority: DeviceAuthorityFieldsFragment;
  onChanged: () => void;
}

/** A certificate authority: what it is, whether its devices are let in, and what it has revoked. */
export function Authority({ authority, onChanged }: AuthorityProps) {
  const { id, subject, fingerprint, notAfter, provenAt, revocationList } = authority;
  const [asking, setAsking] = useState<'list' | 'remove' | null>(null);
  const [listing, setList] = useMutation(SetRevocationListDocument);
  const [removing, remove] = useMutation(RemoveDeviceAuthorityDocument);
  const close = () => setAsking(null);
  return (
    <section className={page.panel} aria-label={subject}>
      <div className={page.head}>
        <h2>{subject}</h2>
        <span className={page.spacer} />
        {provenAt && (
          <Button size="compact-xs" variant="default" onClick={() => setAsking('list')}>
            New revocation list
          </Button>
        )}
        <Button size="compact-xs" variant="default" onClick={() => setAsking('remove')}>
          Remove
        </Button>
      </div>
      <Stack gap="sm" mt="sm">
        <dl className={page.facts}>
          <div>
            <dt>Devices with its certificates</dt>
            <dd>
              <Standing authority={authority} />
            </dd>
          </div>
          <div>
            <dt>Valid until</dt>
            <dd>
              <Time at={notAfter} />
            </dd>
          </div>
          <div>
            <dt>Revoked</dt>
            <dd>{revocationList ? <Revoked list={revocationList} /> : 'no list uploaded'}</dd>
          </div>
        </dl>
        <p className={`${page.mono} ${page.soft} ${page.small}`}>SHA-256 {fingerprint}</p>
        {asking === 'list' && (
          <PemForm
            label="Revocation list"
            description="The whole list, in PEM or DER. Devices that are connected with a certificate on it are cut off at once."
            holds="X509 CRL"
            submit="Put the list in force"
            busy={listing.fetching}
            error={listing.error}
            onSubmit={async (list) => {
              if (!(await setList({ id, list })).data) return;
              close();
              onChanged();
            }}
            onCancel={close}
          />
        )}
        {asking === 'remove' && (
          <SureOfIt
            warning="Devices that are connected with a certificate of this authority are cut off at once, and are let in no more."
            label="Remove it"
            busy={removing.fetching}
            onKeep={close}
            onSure={async () => {
              if ((await remove({ id })).data) onChanged();
            }}
          />
        )}
        {removing.error && <ErrorNotice error={removing.error} />}
        {!provenAt && <Proof authority={authority} onProven={onChanged} />}
      </Stack>
    </section>
  );
}

/** Whether devices that show its certificates are let in. */
function Standing({
  authority: { provenAt, notBefore, notAfter },
}: {
  authority: DeviceAuthorityFieldsFragment;
}) {
  const phase = useTicking(
    useCallback(
      (now: number) => {
        if (now < Date.parse(notBefore)) return 'early';
        return Date.parse(notAfter) < now ? 'over' : 'in force';
      },
      [notBefore, notAfter],
    ),
  );
  if (phase === 'over')
    return <strong className={classes.bad}>not let in: its certificate has expired</strong>;
  if (!provenAt)
    return <strong className={classes.bad}>not let in: nobody has proven to have its key</strong>;
  if (phase === 'early') {
    return (
      <strong className={classes.bad}>
        let in from <Time at={notBefore} /> on
      </strong>
    );
  }
  return (
    <>
      let in since <Time at={provenAt} />
    </>
  );
}

type List = NonNullable<DeviceAuthorityFieldsFragment['revocationList']>;

/** What its list names, and whether there should be a newer one by now. */
function Revoked({ list: { entries, issuedAt, nextAt } }: { list: List }) {
  const overdue = useTicking(
    useCallback((now: number) => nextAt !== null && Date.parse(nextAt) < now, [nextAt]),
  );
  return (
    <>
      {entries === 1 ? '1 certificate' : `${entries} certificates`}, list of <Time at={issuedAt} />
      {nextAt && (
        <div className={overdue ? classes.bad : page.soft}>
          {overdue ? 'the next was due ' : 'the next is due '}
          <Time at={nextAt} />
        </div>
      )}
    </>
  );
}

interface ProofProps {
  authority: DeviceAuthorityFieldsFragment;
  onProven: () => void;
}

/** How somebody proves to have its key. */
function Proof({ authority: { id, challenge }, onProven }: ProofProps) {
  const [{ fetching, error }, prove] = useMutation(ProveDeviceAuthorityDocument);
  return (
    <Stack gap="xs">
      <p className={page.note}>
        Prove that you have its key: have it sign a certificate with this common name, for instance with
        OpenSSL, where ca.pem and ca-key.pem are the authority’s.
      </p>
      <Code block>
        {`openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \\
  -subj "/CN=${challenge}" -keyout proof-key.pem -out proof.csr
openssl x509 -req -in proof.csr -CA ca.pem -CAkey ca-key.pem -days 1 -out proof.pem`}
      </Code>
      <PemForm
        label="Proof"
        description="The certificate that it has signed, proof.pem."
        holds="CERTIFICATE"
        submit="Prove it"
        busy={fetching}
        error={error}
        onSubmit={async (certificate) => {
          if ((await prove({ id, certificate })).data) onProven();
        }}
      />
    </Stack>
  );
}
