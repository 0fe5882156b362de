import { describe, expect, it } from 'vitest';
import { extentInWords } from './RolePreview';

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
