import { describe, expect, it } from 'vitest';
import type { PatientOnBoardFragment } from '../../api/generated/graphql';
import { news2 } from '../../test/samples';
import { boardLines, patientsBetween, patientsInSight } from './layout';

const patient = (id: string, ward: string): PatientOnBoardFragment => ({
  id,
  name: id,
  mrn: null,
  birthYear: null,
  ward,
  bed: id,
  vitals: [],
  news2: news2({}),
});

describe('the lines of the board', () => {
  it('keep the order of the server and head each ward', () => {
    const lines = boardLines([patient('2', 'A'), patient('1', 'A'), patient('3', 'B')]);
    expect(lines.map((line) => (line.kind === 'ward' ? line.ward : line.patient.id))).toEqual([
      'A',
      '2',
      '1',
      'B',
      '3',
    ]);
  });

  it('follow every line in sight, and the same ones while scrolling a little', () => {
    const lines = boardLines(Array.from({ length: 500 }, (_, index) => patient(String(index), 'A')));
    for (const [first, last] of [
      [0, 20],
      [35, 45],
      [490, 500],
    ] as const) {
      const followed = new Set(patientsInSight(lines, { first, last }));
      for (const line of lines.slice(first, last + 1)) {
        if (line.kind === 'patient') expect(followed).toContain(line.patient.id);
      }
      expect(followed.size).toBeLessThanOrEqual(80);
    }
    expect(patientsInSight(lines, { first: 1, last: 20 })).toEqual(
      patientsInSight(lines, { first: 3, last: 22 }),
    );
    expect(patientsInSight([], { first: 0, last: 0 })).toEqual([]);
  });

  it('are rows of the list behind them without the heads', () => {
    const lines = boardLines([patient('1', 'A'), patient('2', 'A'), patient('3', 'B'), patient('4', 'B')]);
    expect(patientsBetween(lines, { first: 0, last: 2 })).toEqual({ first: 0, last: 1 });
    expect(patientsBetween(lines, { first: 3, last: 5 })).toEqual({ first: 2, last: 3 });
    expect(patientsBetween([], { first: 0, last: -1 })).toEqual({ first: 0, last: 0 });
  });
});
