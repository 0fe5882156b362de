import { describe, expect, it } from 'vitest';
import { extentInWords, holdersInWords } from './RolePreview';

describe('whose access would change', () => {
  it.each([
    [1, 0, 'one person'],
    [14, 0, '14 people'],
    [0, 1, 'one service client'],
    [3, 2, '3 people and 2 service clients'],
  ])('is said of %i people and %i clients', (people, clients, said) => {
    expect(holdersInWords(people, clients)).toBe(said);
  });
});

describe('how far a permission reaches', () => {
  it('is said in rows and hidden columns', () => {
    expect(extentInWords(null)).toBe('no');
    expect(extentInWords({ rows: null, hiddenColumns: [] })).toBe('yes');
    expect(extentInWords({ rows: 1, hiddenColumns: [] })).toBe('1 row');
    expect(extentInWords({ rows: 0, hiddenColumns: ['patient.name', 'patient.mrn'] })).toBe(
      '0 rows, without patient.name, patient.mrn',
    );
  });
});
