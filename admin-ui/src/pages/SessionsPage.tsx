import { Button } from '@mantine/core';
import { useSearch } from '@tanstack/react-router';
import { useMutation, useQuery } from 'urql';
import {
  EndOtherSessionsDocument,
  EndSessionDocument,
  EndSessionsOfDocument,
  SessionsDocument,
  type SessionsQuery,
} from '../api/generated/graphql';
import { browserName } from '../ui/browser-name';
import { Empty } from '../ui/feedback/Empty';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { Loading } from '../ui/feedback/Loading';
import { OfWhom } from '../ui/org/OfWhom';
import page from '../ui/page.module.css';
import { Age, Time } from '../ui/time';
import { useRefetchOnReconnect, useSignedIn } from '../ui/use-signed-in';
import { useTitle } from '../ui/use-title';

/** Where the signed-in person, or with `?user=` somebody else, is signed in. */
export function SessionsPage() {
  useTitle('Sessions');
  const { viewer, may } = useSignedIn();
  const { user } = useSearch({ from: '/authenticated/sessions' });
  const own = user === undefined || user === viewer.id;
  const [{ data, error, fetching }, refetch] = useQuery({
    query: SessionsDocument,
    variables: { user: own ? null : user },
  });
  useRefetchOnReconnect(refetch);
  const [others, endOthers] = useMutation(EndOtherSessionsDocument);
  const [all, endAll] = useMutation(EndSessionsOfDocument);
  const reload = () => refetch({ requestPolicy: 'network-only' });
  const sessions = data?.sessions ?? [];
  const failed = error ?? others.error ?? all.error;
  return (
    <div className={page.page}>
      <div className={page.head}>
        <h1>{own ? 'Your sessions' : <>Sessions{<OfWhom user={user} />}</>}</h1>
        <span className={page.spacer} />
        {own && sessions.some(({ current }) => !current) && (
          <Button
            loading={others.fetching}
            onClick={async () => {
              const { data: done } = await endOthers({});
              if (done) reload();
            }}
          >
            End all others
          </Button>
        )}
        {!own && may('token:write') && sessions.length > 0 && (
          <Button
            color="red"
            loading={all.fetching}
            onClick={async () => {
              const { data: done } = await endAll({ user });
              if (done) reload();
            }}
          >
            End all
          </Button>
        )}
      </div>
      {own && (
        <p>
          A session ends by signing out, after an hour in which no page of it is open, and twelve hours after
          signing in at the latest.
        </p>
      )}
      {failed && <ErrorNotice error={failed} retry={reload} />}
      {!data && fetching && <Loading rows={3} label="Loading sessions" />}
      {data && sessions.length === 0 && <Empty title="Nowhere signed in" />}
      {sessions.length > 0 && (
        <section className={page.panel} aria-label="Sessions">
          <table className={page.plain}>
            <thead>
              <tr>
                <th scope="col">Signed in</th>
                <th scope="col">From</th>
                <th scope="col">Last used</th>
                <th scope="col">Ends</th>
                {own && <th scope="col">End</th>}
              </tr>
            </thead>
            <tbody>
              {sessions.map((session) => (
                <SessionRow key={session.id} session={session} own={own} onEnded={reload} />
              ))}
            </tbody>
          </table>
        </section>
      )}
    </div>
  );
}

interface SessionRowProps {
  session: SessionsQuery['sessions'][number];
  own: boolean;
  onEnded: () => void;
}

function SessionRow({ session, own, onEnded }: SessionRowProps) {
  const [{ fetching, error }, end] = useMutation(EndSessionDocument);
  return (
    <tr>
      <td>
        <Time at={session.createdAt} />
      </td>
      <td>
        {browserName(session.agent) || 'unknown browser'}
        <div className={`${page.mono} ${page.soft}`}>{session.address || 'address not known'}</div>
      </td>
      <td>{session.current ? 'this one' : <Age at={session.lastUsedAt} suffix=" ago" />}</td>
      <td>
        <Time at={session.expiresAt} />
      </td>
      {own && (
        <td>
          {!session.current && (
            <Button
              size="compact-xs"
              variant="default"
              loading={fetching}
              onClick={async () => {
                const { data } = await end({ id: session.id });
                if (data) onEnded();
              }}
            >
              End
            </Button>
          )}
          {error && <ErrorNotice error={error} />}
        </td>
      )}
    </tr>
  );
}
