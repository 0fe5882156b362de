import { Button, Group } from '@mantine/core';
import { useState } from 'react';
import { useMutation, useQuery } from 'urql';
import {
  EnrolAuthenticatorDocument,
  PairAuthenticatorDocument,
  RemoveSecondFactorDocument,
  RenewRecoveryCodesDocument,
  SecondFactorDocument,
  type SecondFactorQuery,
} from '../api/generated/graphql';
import { CodeForm } from '../forms/CodeForm';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { Loading } from '../ui/feedback/Loading';
import page from '../ui/page.module.css';
import { QrCode } from '../ui/second-factor/QrCode';
import { RecoveryCodes } from '../ui/second-factor/RecoveryCodes';
import { Time } from '../ui/time';
import { useTitle } from '../ui/use-title';

/** The signed-in person's own second factor. */
export function SecondFactorPage() {
  useTitle('Second factor');
  const [{ data, error, fetching }, refetch] = useQuery({
    query: SecondFactorDocument,
    requestPolicy: 'cache-and-network',
  });
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const reload = () => refetch({ requestPolicy: 'network-only' });
  const told = (recovery: readonly string[]) => {
    setCodes(recovery);
    reload();
  };
  return (
    <div className={page.page}>
      <div className={page.head}>
        <h1>Second factor</h1>
      </div>
      {error && <ErrorNotice error={error} retry={reload} />}
      {!data && fetching && <Loading rows={3} label="Loading your second factor" />}
      {codes && <RecoveryCodes codes={codes} onKept={() => setCodes(null)} />}
      {data && !codes && !data.secondFactor.since && <SetUp onCodes={told} />}
      {data?.secondFactor.since && !codes && (
        <InForce standing={data.secondFactor} onCodes={told} onRemoved={reload} />
      )}
    </div>
  );
}

function SetUp({ onCodes }: { onCodes: (codes: readonly string[]) => void }) {
  const [pairing, pair] = useMutation(PairAuthenticatorDocument);
  const [enrolling, enrol] = useMutation(EnrolAuthenticatorDocument);
  const [open, setOpen] = useState(false);
  const told = pairing.data?.pairAuthenticator;
  return (
    <section className={page.panel} aria-label="Set up a second factor">
      <h2>Ask for a code, too</h2>
      <p>
        With a second factor, your password alone lets nobody in: an app on your phone shows a code that
        changes every half minute. Any authenticator app does.
      </p>
      {open && told && (
        <>
          <ol>
            <li>Open the app and scan this, or type the key in.</li>
            <li>Enter the code that it shows.</li>
          </ol>
          <Group align="center" gap="lg">
            <QrCode text={told.uri} label="QR code for your authenticator app" />
            <div>
              <span className={page.soft}>Key</span>
              <div className={page.mono}>{told.secret.match(/.{1,4}/g)?.join(' ')}</div>
            </div>
          </Group>
          <CodeForm
            action="Turn on"
            label="Code that the app shows"
            busy={enrolling.fetching}
            onCode={async (code) => {
              const { data } = await enrol({ code });
              if (data) onCodes(data.enrolAuthenticator);
            }}
            onCancel={() => setOpen(false)}
          />
        </>
      )}
      {!(open && told) && (
        <Button
          loading={pairing.fetching}
          onClick={async () => {
            await pair({});
            setOpen(true);
          }}
        >
          Set up
        </Button>
      )}
      {pairing.error && <ErrorNotice error={pairing.error} />}
      {enrolling.error && <ErrorNotice error={enrolling.error} />}
    </section>
  );
}

interface InForceProps {
  standing: SecondFactorQuery['secondFactor'];
  onCodes: (codes: readonly string[]) => void;
  onRemoved: () => void;
}

function InForce({ standing, onCodes, onRemoved }: InForceProps) {
  const [asked, setAsked] = useState<'renew' | 'remove' | null>(null);
  const [renewing, renew] = useMutation(RenewRecoveryCodesDocument);
  const [removing, remove] = useMutation(RemoveSecondFactorDocument);
  const error = asked === 'renew' ? renewing.error : removing.error;
  const left = standing.recoveryCodes;
  return (
    <section className={page.panel} aria-label="Your second factor">
      <h2>It is on</h2>
      <p>
        You are asked for a code at every sign-in, since <Time at={standing.since ?? ''} />.{' '}
        {left === 0 ? 'You have no recovery codes left; make new ones.' : `${left} recovery codes are left.`}
      </p>
      {asked === null && (
        <Group gap="xs">
          <Button variant="default" onClick={() => setAsked('renew')}>
            New recovery codes
          </Button>
          <Button variant="default" color="red" onClick={() => setAsked('remove')}>
            Turn off
          </Button>
        </Group>
      )}
      {asked === 'renew' && (
        <CodeForm
          action="Make new codes"
          label="Code that the app shows"
          busy={renewing.fetching}
          onCode={async (code) => {
            const { data } = await renew({ code });
            if (data) onCodes(data.renewRecoveryCodes);
          }}
          onCancel={() => setAsked(null)}
        />
      )}
      {asked === 'remove' && (
        <CodeForm
          action="Turn off"
          label="Code that the app shows, or a recovery code"
          color="red"
          busy={removing.fetching}
          onCode={async (code) => {
            const { data } = await remove({ code });
            if (data) onRemoved();
          }}
          onCancel={() => setAsked(null)}
        />
      )}
      {asked && error && <ErrorNotice error={error} />}
    </section>
  );
}
