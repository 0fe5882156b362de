import { describe, expect, it } from 'vitest';
import { type Access, csvOf, reportOf } from './report';

function access(minute: number, more: Partial<Access> = {}): Access {
  return {
    at: `2026-01-02T03:${String(minute).padStart(2, '0')}:00Z`,
    actor: 'user:1',
    name: 'Nina Nurse',
    roles: 'nurse',
    kind: 'IDENTITY',
    action: 'patient.read',
    reason: '',
    refused: false,
    ...more,
  };
}

describe('a report for a patient', () => {
  it('tells of an emergency, and keeps what was read in it apart', () => {
    const lines = reportOf([
      access(33, {
        kind: 'EMERGENCY_REVIEW',
        action: 'record.review',
        reason: 'it was right',
        actor: 'user:3',
      }),
      access(32, { kind: 'VITALS', reason: 'unconscious' }),
      access(32, { reason: 'unconscious' }),
      access(31, { kind: 'EMERGENCY', action: 'record.open', reason: 'unconscious' }),
      access(30, { kind: 'EMERGENCY', action: 'record.open', reason: 'NOT_FOUND', refused: true }),
      access(29),
    ]);
    expect(lines.map(({ what, why }) => [what, why])).toEqual([
      ['Looked at whether your record had to be opened in an emergency', 'it was right'],
      ['Saw your name and where you lie, your vital signs', 'unconscious'],
      ['Opened your record in an emergency, or closed it again', 'unconscious'],
      ['Opened your record in an emergency, or closed it again: refused', 'NOT_FOUND'],
      ['Saw your name and where you lie', 'Their work as nurse'],
    ]);
  });

  it('is one line for what somebody looked at within some minutes', () => {
    const lines = reportOf([
      access(50),
      access(31, { kind: 'VITALS' }),
      access(31, { actor: 'user:2', name: 'Carl', roles: 'clinician' }),
      access(30),
      access(30, { kind: 'VITALS' }),
    ]);
    expect(lines.map(({ at, who, what }) => [at.slice(14, 16), who, what])).toEqual([
      ['50', 'Nina Nurse', 'Saw your name and where you lie'],
      ['30', 'Nina Nurse', 'Saw your name and where you lie, your vital signs'],
      ['31', 'Carl', 'Saw your name and where you lie'],
    ]);
  });

  it('keeps apart what was refused, what was changed, and another reason', () => {
    const lines = reportOf([
      access(9, { refused: true, roles: null }),
      access(8, { kind: 'CHANGE', action: 'patient.place', roles: null }),
      access(7, { reason: 'unconscious, brought in by ambulance' }),
      access(6),
      access(5, { kind: 'OTHER', action: 'patient.x', actor: 'system', name: null, roles: null }),
    ]);
    expect(lines.map(({ what, why }) => [what, why])).toEqual([
      ['Asked for your name and where you lie, and was refused', 'Not allowed for them: nothing was shown'],
      ['Changed where you lie, who treats you, or who may see your record', 'Not told'],
      ['Saw your name and where you lie', 'unconscious, brought in by ambulance'],
      ['Saw your name and where you lie', 'Their work as nurse'],
      ['patient.x', 'Keeping the record'],
    ]);
    expect(lines[4]?.who).toBe('The platform itself');
  });

  it('is a file without formulas', () => {
    const [line] = reportOf([access(1, { name: '=1+1 "A"' })]);
    if (!line) throw new Error('no line');
    expect(csvOf([line]).split('\r\n')).toEqual([
      '"When","Who","Role","What","Why","Refused"',
      '"2026-01-02T03:01:00Z","\'=1+1 ""A""","nurse","Saw your name and where you lie","Their work as nurse","no"',
      '',
    ]);
  });
});
