import { Button, Group } from '@mantine/core';
import { useCallback } from 'react';
import { useMutation } from 'urql';
import { ask } from '../api/ask';
import {
  AnswerElevationDocument,
  type ElevationFieldsFragment,
  ElevationsDocument,
  EndElevationDocument,
} from '../api/generated/graphql';
import { STANDING } from '../ui/elevation/standing';
import classes from '../ui/emergency/emergency.module.css';
import { Empty } from '../ui/feedback/Empty';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { Loading } from '../ui/feedback/Loading';
import page from '../ui/page.module.css';
import { usePaged } from '../ui/table/use-paged';
import { Time } from '../ui/time';
import { useRefetchOnReconnect, useSignedIn } from '../ui/use-signed-in';
import { useTitle } from '../ui/use-title';

const PAGE = 50;

/** What operators of the platform ask the hospital for, which lets them in for a while or does not. */
export function ElevationsPage() {
  useTitle('Operator access');
  const { client, may, operators } = useSignedIn();
  const load = useCallback(
    async (after: string | null) =>
      (await ask(client, ElevationsDocument, { first: PAGE, after })).elevations,
    [client],
  );
  const { loaded, loading, error, refetch, loadMore } = usePaged(load);
  useRefetchOnReconnect(refetch);
  const changed = () => {
    refetch();
    void operators.load().catch(() => {});
  };
  return (
    <div className={page.page}>
      <div className={page.head}>
        <h1>Operator access</h1>
        <span className={page.note}>Whoever runs the platform sees nothing here unless you let them in</span>
      </div>
      {error !== null && <ErrorNotice error={error} retry={refetch} />}
      {!loaded && loading && <Loading rows={2} label="Loading requests" />}
      {loaded && loaded.rows.length === 0 && <Empty title="No operator has asked for access" />}
      {loaded && loaded.rows.length > 0 && (
        <section className={page.panel} aria-label="Requests of operators">
          <table className={page.plain}>
            <thead>
              <tr>
                <th scope="col">Asked</th>
                <th scope="col">Operator</th>
                <th scope="col">As</th>
                <th scope="col">Why</th>
                <th scope="col">State</th>
                {may('elevation:write') && <th scope="col">Answer</th>}
              </tr>
            </thead>
            <tbody>
              {loaded.rows.map((elevation) => (
                <Row key={elevation.id} elevation={elevation} onChanged={changed} />
              ))}
            </tbody>
          </table>
          {loaded.next !== null && (
            <Button mt="sm" size="xs" variant="default" loading={loading} onClick={loadMore}>
              Show more
            </Button>
          )}
        </section>
      )}
    </div>
  );
}

function Row({ elevation, onChanged }: { elevation: ElevationFieldsFragment; onChanged: () => void }) {
  const { may } = useSignedIn();
  const { operatorName, role, hours, reason, askedAt, standing, answeredByName, answeredAt, until } =
    elevation;
  return (
    <tr>
      <td>
        <Time at={askedAt} />
      </td>
      <td>
        <strong>{operatorName}</strong>
      </td>
      <td>
        {role}
        <div className={page.soft}>for {hours} h</div>
      </td>
      <td className={classes.reason}>{reason}</td>
      <td>
        {STANDING[standing]}
        {until && (
          <div className={page.soft}>
            until <Time at={until} />
          </div>
        )}
        {answeredAt && (
          <div className={page.soft}>
            {answeredByName}, <Time at={answeredAt} />
          </div>
        )}
      </td>
      {may('elevation:write') && (
        <td>
          <Answers elevation={elevation} onChanged={onChanged} />
        </td>
      )}
    </tr>
  );
}

function Answers({ elevation, onChanged }: { elevation: ElevationFieldsFragment; onChanged: () => void }) {
  const [answering, answer] = useMutation(AnswerElevationDocument);
  const [ending, end] = useMutation(EndElevationDocument);
  const { id, operatorName, role, standing } = elevation;
  const error = answering.error ?? ending.error;
  const say = async (grant: boolean) => {
    const { data } = await answer({ id, grant });
    if (data) onChanged();
  };
  return (
    <Group gap="xs">
      {standing === 'WAITING' && (
        <>
          <Button
            size="compact-xs"
            loading={answering.fetching}
            aria-label={`Let in: ${operatorName} as ${role}`}
            onClick={() => void say(true)}
          >
            Let in
          </Button>
          <Button
            size="compact-xs"
            variant="default"
            loading={answering.fetching}
            aria-label={`Refuse: ${operatorName}`}
            onClick={() => void say(false)}
          >
            Refuse
          </Button>
        </>
      )}
      {standing === 'IN_FORCE' && (
        <Button
          size="compact-xs"
          color="red"
          loading={ending.fetching}
          aria-label={`End access: ${operatorName}`}
          onClick={async () => {
            const { data } = await end({ id });
            if (data) onChanged();
          }}
        >
          End access
        </Button>
      )}
      {error && <ErrorNotice error={error} />}
    </Group>
  );
}
