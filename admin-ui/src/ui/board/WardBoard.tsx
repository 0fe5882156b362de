import { useMemo, useState } from 'react';
import type { PatientOnBoardFragment } from '../../api/generated/graphql';
import { useStore } from '../../api/store';
import type { Scrolling } from '../table/paged-list';
import { VirtualRows } from '../table/VirtualRows';
import { useSignedIn } from '../use-signed-in';
import { useVitalsSubscription } from '../vitals/use-patient-vitals';
import classes from './board.module.css';
import { boardLines, patientsBetween, patientsInSight } from './layout';
import { BOARD_COLUMNS, PatientRow } from './PatientRow';

interface WardBoardProps {
  patients: readonly PatientOnBoardFragment[];
  total: number;
  list: Scrolling;
}

/** The live table of the wards. Only patients in sight and near it are followed. */
export function WardBoard({ patients, total, list }: WardBoardProps) {
  const { openByPatient } = useStore(useSignedIn().alarms);
  const lines = useMemo(() => boardLines(patients), [patients]);
  const [sight, setSight] = useState({ first: 0, last: 0 });
  useVitalsSubscription(patientsInSight(lines, sight));

  const board: Scrolling = {
    loadMore: list.loadMore,
    show(range) {
      setSight(range);
      list.show(patientsBetween(lines, range));
    },
  };
  const alarmsAt = (index: number) => {
    const line = lines[index];
    return (line?.kind === 'patient' && openByPatient.get(line.patient.id)) || [];
  };

  return (
    <div className={classes.board}>
      <VirtualRows
        label="Ward board"
        count={lines.length}
        total={total + lines.length - patients.length}
        rowHeight={58}
        keyOf={(index) => keyOf(lines[index])}
        header={BOARD_COLUMNS.map((column) => (
          <div key={column} role="columnheader" className={classes.heading}>
            {column}
          </div>
        ))}
        renderRow={(index) => {
          const line = lines[index];
          if (!line) return null;
          if (line.kind === 'patient') return <PatientRow patient={line.patient} alarms={alarmsAt(index)} />;
          return (
            <div role="cell" aria-colspan={BOARD_COLUMNS.length} className={classes.ward}>
              {line.ward}
            </div>
          );
        }}
        rowClass={(index) => {
          if (lines[index]?.kind === 'ward') return classes.wardRow;
          const worst = alarmsAt(index).find(({ state }) => state === 'RAISED') ?? alarmsAt(index)[0];
          const urgent = worst?.priority === 'HIGH' && worst.state === 'RAISED';
          return `${classes.patientRow} ${urgent ? classes.alarmHigh : worst ? classes.alarm : ''}`;
        }}
        list={board}
      />
    </div>
  );
}

function keyOf(line: ReturnType<typeof boardLines>[number] | undefined): string {
  if (!line) return '';
  return line.kind === 'ward' ? `ward ${line.ward}` : line.patient.id;
}
