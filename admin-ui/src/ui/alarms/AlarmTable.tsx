import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { Alarm } from '../../api/feed/alarms';
import { PatientName } from '../PatientName';
import page from '../page.module.css';
import { type Columns, columnsOf, DataTable } from '../table/DataTable';
import type { Scrolling } from '../table/paged-list';
import { Age, Time } from '../time';
import { useSignedIn } from '../use-signed-in';
import { formatExact, formatUnit } from '../vitals/format';
import { AcknowledgeButton } from './AcknowledgeButton';
import { PriorityMark, StateMark } from './AlarmMark';
import classes from './alarm-table.module.css';

interface AlarmTableProps {
  label: string;
  alarms: readonly Alarm[];
  total: number;
  /** Left out where all are of one patient. */
  withPatient?: boolean;
  list?: Scrolling;
}

export function AlarmTable({ label, alarms, total, withPatient = true, list }: AlarmTableProps) {
  const { may } = useSignedIn();
  const mayAcknowledge = may('alarm:acknowledge');
  const columns = useMemo(() => columnsFor(withPatient, mayAcknowledge), [withPatient, mayAcknowledge]);
  return (
    <DataTable
      label={label}
      columns={columns}
      widths={widthsFor(withPatient, mayAcknowledge)}
      minWidth={withPatient ? '66rem' : '46rem'}
      rows={alarms}
      total={total}
      rowHeight={58}
      {...(list ? { list } : {})}
    />
  );
}

function widthsFor(withPatient: boolean, mayAcknowledge: boolean): string {
  const widths = withPatient
    ? '7.5rem minmax(11rem, 2fr) minmax(11rem, 1.5fr) 7.5rem 8.75rem minmax(12rem, 2fr)'
    : '7rem minmax(9rem, 1.6fr) 6.5rem 8.25rem minmax(7rem, 1.4fr)';
  return mayAcknowledge ? `${widths} 8.75rem` : widths;
}

function columnsFor(withPatient: boolean, mayAcknowledge: boolean): Columns<Alarm> {
  const column = columnsOf<Alarm>();
  return [
    column.display({
      id: 'priority',
      header: 'Priority',
      cell: ({ row }) => <PriorityMark priority={row.original.priority} />,
    }),
    column.display({ id: 'alarm', header: 'Alarm', cell: ({ row }) => <Subject alarm={row.original} /> }),
    ...(withPatient
      ? [
          column.display({
            id: 'patient',
            header: 'Patient',
            cell: ({ row }) => <Whose alarm={row.original} />,
          }),
        ]
      : []),
    column.display({
      id: 'age',
      header: 'Raised',
      cell: ({ row }) => <Age at={row.original.raisedAt} suffix=" ago" />,
    }),
    column.display({
      id: 'state',
      header: 'State',
      cell: ({ row }) => <StateMark state={row.original.state} />,
    }),
    column.display({ id: 'care', header: 'What was done', cell: ({ row }) => <Care alarm={row.original} /> }),
    ...(mayAcknowledge
      ? [
          column.display({
            id: 'actions',
            header: () => <span className="visually-hidden">Actions</span>,
            cell: ({ row }) => <AcknowledgeButton alarm={row.original} />,
          }),
        ]
      : []),
  ] as Columns<Alarm>;
}

function Subject({ alarm }: { alarm: Alarm }) {
  return (
    <>
      <div className={classes.title}>{alarm.title}</div>
      <div className={classes.detail}>
        {formatExact(alarm.value)} {formatUnit(alarm.unit)} when raised
      </div>
    </>
  );
}

function Whose({ alarm: { patient, device } }: { alarm: Alarm }) {
  if (!patient) return <span className={classes.detail}>{device ? `Device ${device.name}` : 'nobody'}</span>;
  return (
    <>
      <Link to="/patients/$patientId" params={{ patientId: patient.id }} className={page.link}>
        <PatientName name={patient.name} />
      </Link>
      <div className={classes.detail}>
        {patient.ward}, bed {patient.bed}
      </div>
    </>
  );
}

function Care({ alarm }: { alarm: Alarm }) {
  return (
    <div className={classes.detail}>
      {alarm.acknowledgedAt && (
        <div>
          Acknowledged by {alarm.acknowledgedBy ?? 'somebody'}, <Time at={alarm.acknowledgedAt} />
        </div>
      )}
      {alarm.note && <div className={classes.note}>“{alarm.note}”</div>}
      {alarm.clearedAt && (
        <div>
          Cleared <Time at={alarm.clearedAt} />
        </div>
      )}
    </div>
  );
}
