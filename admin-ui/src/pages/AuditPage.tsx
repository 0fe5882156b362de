import { SegmentedControl } from '@mantine/core';
import { useCallback, useMemo, useState } from 'react';
import { ask } from '../api/ask';
import { AuditLogDocument } from '../api/generated/graphql';
import { AuditTable } from '../ui/audit/AuditTable';
import { Empty } from '../ui/feedback/Empty';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { Loading } from '../ui/feedback/Loading';
import page from '../ui/page.module.css';
import { SearchBox } from '../ui/SearchBox';
import { usePaged } from '../ui/table/use-paged';
import { useRefetchOnReconnect, useSignedIn } from '../ui/use-signed-in';
import { useTitle } from '../ui/use-title';

const PAGE = 100;

/** Who did what, for administrators and auditors. */
export function AuditPage() {
  useTitle('Audit');
  const { client } = useSignedIn();
  const [outcome, setOutcome] = useState('all');
  const [action, setAction] = useState('');
  const load = useCallback(
    async (after: string | null) => {
      const filter = { action: action || null, outcome: outcome === 'denied' ? ('DENIED' as const) : null };
      const { auditLog } = await ask(client, AuditLogDocument, { first: PAGE, after, filter });
      const nodes = auditLog.edges.map(({ cursor, node }) => ({ ...node, id: cursor }));
      return { nodes, pageInfo: auditLog.pageInfo, totalCount: auditLog.totalCount };
    },
    [client, action, outcome],
  );
  const list = usePaged(load);
  const { loaded, loading, error, refetch } = list;
  useRefetchOnReconnect(refetch);
  const rows = useMemo(() => loaded?.rows ?? [], [loaded]);

  return (
    <div className={`${page.page} ${page.fill}`}>
      <div className={page.head}>
        <h1>Audit</h1>
        <SegmentedControl
          size="xs"
          aria-label="Which outcome"
          value={outcome}
          onChange={setOutcome}
          data={[
            { value: 'all', label: 'All' },
            { value: 'denied', label: 'Refused' },
          ]}
        />
        <span className={page.spacer} />
        <SearchBox label="Action, e.g. alarm." onSearch={setAction} />
      </div>
      {error !== null && <ErrorNotice error={error} retry={refetch} />}
      {!loaded && loading && <Loading rows={8} label="Loading the audit trail" />}
      {loaded && rows.length === 0 && <Empty title="Nothing was written down that fits" />}
      {loaded && rows.length > 0 && <AuditTable rows={rows} total={loaded.total} list={list} />}
    </div>
  );
}
