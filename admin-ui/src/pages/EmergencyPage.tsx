import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useCallback } from 'react';
import { ask } from '../api/ask';
import { type OpeningFieldsFragment, RecordOpeningsDocument } from '../api/generated/graphql';
import { ReviewForm } from '../forms/ReviewForm';
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

/** Records that people opened outside their own rows: first what nobody has looked at. */
export function EmergencyPage() {
  useTitle('Emergency access');
  const { emergencies } = useSignedIn();
  const waiting = useOpenings(false);
  const done = useOpenings(true);
  const reviewed = () => {
    waiting.refetch();
    done.refetch();
    void emergencies.load().catch(() => {});
  };
  return (
    <div className={page.page}>
      <div className={page.head}>
        <h1>Emergency access</h1>
        {waiting.loaded && <span className={page.note}>{waiting.loaded.total} to be reviewed</span>}
      </div>
      <Openings
        title="To be reviewed"
        list={waiting}
        none="Nothing waits for a review"
        onReviewed={reviewed}
      />
      <Openings title="Reviewed" list={done} none="Nothing was reviewed yet" onReviewed={reviewed} />
    </div>
  );
}

function useOpenings(reviewed: boolean) {
  const { client } = useSignedIn();
  const load = useCallback(
    async (after: string | null) =>
      (await ask(client, RecordOpeningsDocument, { reviewed, first: PAGE, after })).recordOpenings,
    [client, reviewed],
  );
  const list = usePaged(load);
  useRefetchOnReconnect(list.refetch);
  return list;
}

interface OpeningsProps {
  title: string;
  list: ReturnType<typeof useOpenings>;
  none: string;
  onReviewed: () => void;
}

function Openings({ title, list, none, onReviewed }: OpeningsProps) {
  const { loaded, loading, error, refetch, loadMore } = list;
  return (
    <section className={page.panel} aria-label={title}>
      <h2>{title}</h2>
      {error !== null && <ErrorNotice error={error} retry={refetch} />}
      {!loaded && loading && <Loading rows={2} label={`Loading: ${title}`} />}
      {loaded && loaded.rows.length === 0 && <Empty title={none} />}
      {loaded && loaded.rows.length > 0 && (
        <table className={page.plain}>
          <thead>
            <tr>
              <th scope="col">Opened</th>
              <th scope="col">Who</th>
              <th scope="col">Record</th>
              <th scope="col">Why</th>
              <th scope="col">Review</th>
            </tr>
          </thead>
          <tbody>
            {loaded.rows.map((opening) => (
              <Row key={opening.id} opening={opening} onReviewed={onReviewed} />
            ))}
          </tbody>
        </table>
      )}
      {loaded && loaded.next !== null && (
        <Button mt="sm" size="xs" variant="default" loading={loading} onClick={loadMore}>
          Show more
        </Button>
      )}
    </section>
  );
}

function Row({ opening, onReviewed }: { opening: OpeningFieldsFragment; onReviewed: () => void }) {
  const { viewer, may } = useSignedIn();
  const { review } = opening;
  return (
    <tr>
      <td>
        <Time at={opening.openedAt} />
        <div className={page.soft}>
          until <Time at={opening.until} />
        </div>
      </td>
      <td>
        <strong>{opening.userName ?? 'Name not known'}</strong>
      </td>
      <td>
        <Link
          to="/patients/$patientId/access"
          params={{ patientId: opening.patientId }}
          className={page.link}
        >
          Who saw this record
        </Link>
      </td>
      <td className={classes.reason}>{opening.reason}</td>
      <td>
        {review ? (
          <>
            {review.note}
            <div className={page.soft}>
              {review.byName ?? 'Name not known'}, <Time at={review.at} />
            </div>
          </>
        ) : opening.userId === viewer.id ? (
          <span className={page.soft}>by somebody else: you opened it</span>
        ) : (
          may('audit:review') && <ReviewForm opening={opening.id} onDone={onReviewed} />
        )}
      </td>
    </tr>
  );
}
