import { describe, expect, it } from 'vitest';
import type { RoleFieldsFragment } from '../api/generated/graphql';
import { roleChecks, roleInput, roleValues } from './own-role-values';

const role: RoleFieldsFragment = {
  name: 'night-nurse',
  title: 'Night nurse',
  builtIn: false,
  version: 3,
  holders: 2,
  policies: [{ object: 'patient', action: 'read', rows: 'all', hiddenColumns: ['patient.mrn'] }],
};

describe('a role', () => {
  it('is saved as it was read when nothing is changed', () => {
    expect(roleInput(roleValues(role), role)).toEqual({
      name: 'night-nurse',
      version: 3,
      title: 'Night nurse',
      policies: role.policies,
    });
  });

  it('that is built in is copied under a name of its own', () => {
    const copy = roleValues({ ...role, builtIn: true, version: null });
    expect([copy.name, copy.title, copy.policies.length]).toEqual(['', '', 1]);
    expect(roleInput({ ...copy, name: 'x-1', title: 'X' }, null).version).toBeNull();
  });

  it('has a name that grants can hold', () => {
    for (const good of ['ab', 'night-nurse', ' n2 ']) expect(roleChecks.name(good)).toBeNull();
    for (const bad of ['', 'a', '1a', 'Night nurse', 'x'.repeat(40)])
      expect(roleChecks.name(bad)).not.toBeNull();
  });
});
