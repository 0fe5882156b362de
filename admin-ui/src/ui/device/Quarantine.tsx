import { Button } from '@mantine/core';
import { useMutation } from 'urql';
import { ReleaseDeviceDocument } from '../../api/generated/graphql';
import { ErrorNotice } from '../feedback/ErrorNotice';
import { useSignedIn } from '../use-signed-in';
import classes from './device.module.css';

interface QuarantineProps {
  deviceId: string;
  reason: string;
  onReleased: () => void;
}

/** Says why the device's twin stands still, and lets those who may set it going again. */
export function Quarantine({ deviceId, reason, onReleased }: QuarantineProps) {
  const { may } = useSignedIn();
  const [{ fetching, error }, release] = useMutation(ReleaseDeviceDocument);
  return (
    <>
      <div className={classes.quarantine}>
        <p>
          <strong>In quarantine:</strong> {reason}. Its messages are stored, but its readings do not move on
          until it is released; then it catches up from the log.
        </p>
        {may('device:write') && (
          <Button
            size="xs"
            loading={fetching}
            onClick={async () => {
              const { data } = await release({ id: deviceId });
              if (data) onReleased();
            }}
          >
            Release from quarantine
          </Button>
        )}
      </div>
      {error && <ErrorNotice error={error} />}
    </>
  );
}
