import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { DevicesQuery } from '../../api/generated/graphql';
import { PatientName } from '../PatientName';
import page from '../page.module.css';
import { type Columns, columnsOf, DataTable } from '../table/DataTable';
import type { Scrolling } from '../table/paged-list';
import { Age } from '../time';
import { DeviceState } from './DeviceState';
import classes from './device.module.css';

type DeviceRow = DevicesQuery['devices']['nodes'][number];

interface DeviceTableProps {
  devices: readonly DeviceRow[];
  total: number;
  withPatient: boolean;
  list: Scrolling;
}

const WIDTHS = 'minmax(12rem, 2fr) minmax(10rem, 1.2fr) 8rem 7rem 7rem';

export function DeviceTable({ devices, total, withPatient, list }: DeviceTableProps) {
  const columns = useMemo(() => columnsFor(withPatient), [withPatient]);
  return (
    <DataTable
      label="Devices"
      columns={columns}
      widths={withPatient ? `${WIDTHS} minmax(12rem, 1.6fr)` : WIDTHS}
      minWidth="56rem"
      rows={devices}
      total={total}
      rowHeight={56}
      list={list}
    />
  );
}

function columnsFor(withPatient: boolean): Columns<DeviceRow> {
  const column = columnsOf<DeviceRow>();
  return [
    column.display({
      id: 'device',
      header: 'Device',
      cell: ({ row: { original } }) => (
        <>
          <Link to="/devices/$deviceId" params={{ deviceId: original.id }} className={page.link}>
            {original.name}
          </Link>
          {original.name !== original.id && <div className={`${page.mono} ${page.soft}`}>{original.id}</div>}
        </>
      ),
    }),
    column.display({
      id: 'state',
      header: 'State',
      cell: ({ row: { original } }) => <DeviceState {...original} />,
    }),
    column.display({
      id: 'seen',
      header: 'Last seen',
      cell: ({ row: { original } }) =>
        original.lastSeenAt ? (
          <Age at={original.lastSeenAt} suffix=" ago" />
        ) : (
          <span className={page.soft}>never</span>
        ),
    }),
    column.display({
      id: 'messages',
      header: 'Messages',
      cell: ({ row: { original } }) => original.messageCount.toLocaleString(),
    }),
    column.display({
      id: 'setAside',
      header: 'Set aside',
      cell: ({ row: { original } }) => (
        <span className={original.setAsideCount > 0 ? classes.bad : page.soft}>
          {original.setAsideCount.toLocaleString()}
        </span>
      ),
    }),
    ...(withPatient
      ? [
          column.display({
            id: 'patient',
            header: 'Patient',
            cell: ({ row: { original } }) => <PatientOfDevice patient={original.patient ?? null} />,
          }),
        ]
      : []),
  ] as Columns<DeviceRow>;
}

export function PatientOfDevice({ patient }: { patient: NonNullable<DeviceRow['patient']> | null }) {
  if (!patient) return <span className={page.soft}>nobody</span>;
  return (
    <>
      <Link to="/patients/$patientId" params={{ patientId: patient.id }} className={page.link}>
        <PatientName name={patient.name} />
      </Link>
      <div className={`${page.soft} ${page.small}`}>
        {patient.ward}, bed {patient.bed}
      </div>
    </>
  );
}
