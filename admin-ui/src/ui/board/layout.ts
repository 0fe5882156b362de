import type { PatientOnBoardFragment } from '../../api/generated/graphql';
import type { Range } from '../table/paging';

/** A line of the board: the head of a ward, or a patient in it. */
export type BoardLine = { kind: 'ward'; ward: string } | { kind: 'patient'; patient: PatientOnBoardFragment };

/**
 * The patients in the order the server gives, ward and bed, with a head before each ward. Nothing is ever
 * sorted by urgency here: a bed must be found where it was a minute ago.
 */
export function boardLines(patients: readonly PatientOnBoardFragment[]): BoardLine[] {
  const lines: BoardLine[] = [];
  let ward: string | null = null;
  for (const patient of patients) {
    if (patient.ward !== ward) {
      ward = patient.ward;
      lines.push({ kind: 'ward', ward });
    }
    lines.push({ kind: 'patient', patient });
  }
  return lines;
}

/** Ids are followed in blocks of this size, so that scrolling by a row does not subscribe anew. */
const BLOCK = 40;

/** The patients whose vitals are followed when these lines are in sight. */
export function patientsInSight(lines: readonly BoardLine[], { first, last }: Range): string[] {
  const from = Math.floor(Math.max(first, 0) / BLOCK) * BLOCK;
  const to = (Math.floor(Math.max(last, 0) / BLOCK) + 1) * BLOCK;
  return lines.slice(from, to).flatMap((line) => (line.kind === 'patient' ? [line.patient.id] : []));
}

/** Lines of the board as rows of the list behind it, which knows no heads of wards. */
export function patientsBetween(lines: readonly BoardLine[], { first, last }: Range): Range {
  const before = (end: number) => lines.slice(0, end).filter(({ kind }) => kind === 'patient').length;
  return { first: before(first), last: Math.max(before(last + 1) - 1, 0) };
}
