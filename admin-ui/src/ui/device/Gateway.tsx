import { Button, Group, TextInput } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useMutation } from 'urql';
import { type DeviceQuery, SetGatewayDocument } from '../../api/generated/graphql';
import { ErrorNotice } from '../feedback/ErrorNotice';
import page from '../page.module.css';
import { useSignedIn } from '../use-signed-in';

type OneDevice = NonNullable<DeviceQuery['device']>;

interface GatewayProps {
  deviceId: string;
  gateway: OneDevice['gateway'];
  behind: OneDevice['behind'];
  onChanged: () => void;
}

/** Through which device this one speaks, or for which ones it speaks. */
export function Gateway({ deviceId, gateway, behind, onChanged }: GatewayProps) {
  const { may } = useSignedIn();
  const [choosing, setChoosing] = useState(false);
  const [chosen, setChosen] = useState('');
  const [{ fetching, error }, set] = useMutation(SetGatewayDocument);
  const change = async (to: string | null) => {
    const { data } = await set({ device: deviceId, gateway: to });
    if (!data) return;
    setChoosing(false);
    onChanged();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change(chosen.trim());
  };
  return (
    <section className={page.panel} aria-label="Gateway">
      <div className={page.head}>
        <h2>Gateway</h2>
        <span className={page.spacer} />
        {may('device:write') && gateway && (
          <Button size="compact-xs" variant="default" loading={fetching} onClick={() => change(null)}>
            Let it speak for itself only
          </Button>
        )}
        {may('device:write') && !gateway && behind.length === 0 && !choosing && (
          <Button size="compact-xs" variant="default" onClick={() => setChoosing(true)}>
            Put it behind a gateway
          </Button>
        )}
      </div>
      <p className={page.note}>
        {gateway && (
          <>
            It speaks through <DeviceLink {...gateway} />.
          </>
        )}
        {!gateway && behind.length === 0 && 'It speaks for itself.'}
        {behind.length > 0 && 'It is a gateway and speaks for'}
        {behind.map((device, at) => (
          <span key={device.id}>
            {at === 0 ? ' ' : ', '}
            <DeviceLink {...device} />
          </span>
        ))}
      </p>
      {choosing && (
        <form onSubmit={submit}>
          <TextInput
            label="Which gateway"
            description="The id of a device that speaks for itself. It has to connect again, which it is told."
            inputWrapperOrder={['label', 'input', 'description']}
            autoComplete="off"
            maw={560}
            value={chosen}
            onChange={(event) => setChosen(event.currentTarget.value)}
          />
          <Group gap="xs" mt="xs">
            <Button type="submit" size="compact-xs" disabled={chosen.trim() === ''} loading={fetching}>
              Put it behind this one
            </Button>
            <Button size="compact-xs" variant="subtle" onClick={() => setChoosing(false)}>
              Cancel
            </Button>
          </Group>
        </form>
      )}
      {error && <ErrorNotice error={error} detailed />}
    </section>
  );
}

function DeviceLink({ id, name }: { id: string; name: string }) {
  return (
    <Link to="/devices/$deviceId" params={{ deviceId: id }}>
      {name}
    </Link>
  );
}
