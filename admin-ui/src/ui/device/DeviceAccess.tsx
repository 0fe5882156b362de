import { Button, Group, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useMutation } from 'urql';
import {
  BlockDeviceDocument,
  RenewDeviceTokenDocument,
  RevealDeviceKeyDocument,
  UnblockDeviceDocument,
} from '../../api/generated/graphql';
import { ErrorNotice } from '../feedback/ErrorNotice';
import { OneTimeSecret } from '../OneTimeSecret';
import page from '../page.module.css';
import { Age } from '../time';

interface DeviceAccessProps {
  deviceId: string;
  tenant: { slug: string; idScope: string };
  blockedSince: string | null;
  onChanged: () => void;
}

/** With what the device connects, and whether it may. */
export function DeviceAccess({ deviceId, tenant, blockedSince, onChanged }: DeviceAccessProps) {
  const [asking, setAsking] = useState<'block' | 'token' | null>(null);
  const [unblocking, unblock] = useMutation(UnblockDeviceDocument);
  const [renewing, renew] = useMutation(RenewDeviceTokenDocument);
  const [revealing, reveal] = useMutation(RevealDeviceKeyDocument);
  const error = unblocking.error ?? renewing.error ?? revealing.error;
  const token = renewing.data?.renewDeviceToken.token;
  const key = revealing.data?.revealDeviceKey;
  return (
    <section className={page.panel} aria-label="Access">
      <div className={page.head}>
        <h2>Access</h2>
        <span className={page.spacer} />
        <Button size="compact-xs" variant="default" onClick={() => setAsking('token')}>
          New token
        </Button>
        <Button
          size="compact-xs"
          variant="default"
          loading={revealing.fetching}
          onClick={() => reveal({ id: deviceId })}
        >
          Show its key
        </Button>
        {blockedSince === null ? (
          <Button size="compact-xs" variant="default" onClick={() => setAsking('block')}>
            Block it
          </Button>
        ) : (
          <Button
            size="compact-xs"
            variant="default"
            loading={unblocking.fetching}
            onClick={async () => {
              if ((await unblock({ id: deviceId })).data) onChanged();
            }}
          >
            Let it in again
          </Button>
        )}
      </div>
      <p className={page.note}>
        {blockedSince === null ? (
          <>
            It signs in as <span className={page.mono}>{`${tenant.slug}/${deviceId}`}</span> with its token;
            one made for ThingsBoard with its token alone, one made for Azure with its key (id scope{' '}
            <span className={page.mono}>{tenant.idScope}</span>).
          </>
        ) : (
          <>
            Blocked for <Age at={blockedSince} />: it may not connect, whatever it presents.
          </>
        )}
      </p>
      {asking === 'block' && (
        <BlockForm
          deviceId={deviceId}
          onDone={(blocked) => {
            setAsking(null);
            if (blocked) onChanged();
          }}
        />
      )}
      {asking === 'token' && (
        <Group gap="xs" mt="xs">
          <p className={page.note}>The token that it has counts no more then, and it is cut off at once.</p>
          <Button
            size="compact-xs"
            color="red"
            loading={renewing.fetching}
            onClick={async () => {
              await renew({ id: deviceId });
              setAsking(null);
            }}
          >
            Make a new one
          </Button>
          <Button size="compact-xs" variant="subtle" onClick={() => setAsking(null)}>
            Keep it
          </Button>
        </Group>
      )}
      {token && <OneTimeSecret label={`Token of ${deviceId}`} secret={token} />}
      {key && (
        <OneTimeSecret
          label={`Symmetric key of ${deviceId}`}
          secret={key}
          description="It is always the same, and signs for this device. That you saw it is in the audit trail."
        />
      )}
      {error && <ErrorNotice error={error} detailed />}
    </section>
  );
}

function BlockForm({ deviceId, onDone }: { deviceId: string; onDone: (blocked: boolean) => void }) {
  const [reason, setReason] = useState('');
  const [{ fetching, error }, block] = useMutation(BlockDeviceDocument);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const { data } = await block({ input: { id: deviceId, reason: reason.trim() } });
    if (data) onDone(true);
  };
  return (
    <form onSubmit={submit}>
      <TextInput
        label="Why"
        description="Stands in the audit trail. The device is cut off at once; what it said stays."
        inputWrapperOrder={['label', 'input', 'description']}
        maxLength={500}
        maw={560}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <Group gap="xs" mt="xs">
        <Button
          type="submit"
          size="compact-xs"
          color="red"
          disabled={reason.trim() === ''}
          loading={fetching}
        >
          Block this device
        </Button>
        <Button size="compact-xs" variant="subtle" onClick={() => onDone(false)}>
          Let it connect
        </Button>
      </Group>
      {error && <ErrorNotice error={error} detailed />}
    </form>
  );
}
