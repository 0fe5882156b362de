import { Link } from '@tanstack/react-router';
import type { AuditLogQuery } from '../../api/generated/graphql';
import page from '../page.module.css';
import { columnsOf, DataTable } from '../table/DataTable';
import type { Scrolling } from '../table/paged-list';
import { Time } from '../time';

/** A line of the trail; its place in it stands for an id. */
export type AuditRow = AuditLogQuery['auditLog']['edges'][number]['node'] & { id: string };

const column = columnsOf<AuditRow>();

const columns = [
  column.display({ id: 'at', header: 'When', cell: ({ row: { original } }) => <Time at={original.at} /> }),
  column.display({
    id: 'actor',
    header: 'Who',
    cell: ({ row: { original } }) => (
      <>
        {original.actorName ?? original.actor}
        {original.actorName !== null && <div className={`${page.mono} ${page.soft}`}>{original.actor}</div>}
      </>
    ),
  }),
  column.display({
    id: 'action',
    header: 'What',
    cell: ({ row: { original } }) => (
      <>
        <code className={page.mono}>{original.action}</code>
        <div className={`${page.mono} ${page.soft}`}>
          <Subject of={original.subject} />
        </div>
      </>
    ),
  }),
  column.display({
    id: 'outcome',
    header: 'Outcome',
    cell: ({ row: { original } }) => (original.outcome === 'DENIED' ? <strong>refused</strong> : 'done'),
  }),
  column.display({
    id: 'origin',
    header: 'From',
    cell: ({ row: { original } }) => (
      <>
        {original.address || '–'}
        <div className={page.soft}>{original.channel}</div>
      </>
    ),
  }),
  column.display({ id: 'detail', header: 'Detail', cell: ({ row: { original } }) => original.detail }),
];

/** From a patient to who saw their record. */
function Subject({ of }: { of: string }) {
  if (!of.startsWith('patient:')) return of;
  const patientId = of.slice('patient:'.length);
  return (
    <Link to="/patients/$patientId/access" params={{ patientId }} className={page.link}>
      {of}
    </Link>
  );
}

export function AuditTable(props: { rows: readonly AuditRow[]; total: number; list: Scrolling }) {
  return (
    <DataTable
      label="Audit trail"
      columns={columns}
      widths="9rem minmax(13rem, 1.3fr) minmax(15rem, 1.5fr) 5rem 8rem minmax(9rem, 1.2fr)"
      minWidth="68rem"
      rowHeight={56}
      {...props}
    />
  );
}
