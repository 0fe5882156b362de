import { describe, expect, it } from 'vitest';
import type { ProviderFieldsFragment } from '../api/generated/graphql';
import { providerInput, providerValues } from './identity-provider-values';

const provider: ProviderFieldsFragment = {
  id: 'p',
  name: 'Directory',
  issuer: 'https://login.example.org',
  clientId: 'iomt',
  hasClientSecret: true,
  apiAudience: null,
  scopes: ['email', 'groups'],
  groupClaim: 'groups',
  roles: [{ group: 'Nurses', role: 'nurse', unit: { id: 'w', name: '4 West', parentId: 'h', kind: 'WARD' } }],
  defaultRole: null,
  enabled: true,
  version: 3,
};

describe('an identity provider', () => {
  it('is saved as it was read when nothing is changed, and keeps its secret', () => {
    const input = providerInput(providerValues(provider), provider);
    expect(input).toEqual({
      id: 'p',
      version: 3,
      name: 'Directory',
      issuer: 'https://login.example.org',
      clientId: 'iomt',
      apiAudience: null,
      scopes: ['email', 'groups'],
      groupClaim: 'groups',
      roles: [{ group: 'Nurses', role: 'nurse', unit: 'w' }],
      defaultRole: null,
      enabled: true,
    });
  });

  it('gets another secret, or none any more', () => {
    const values = providerValues(provider);
    expect(providerInput({ ...values, clientSecret: ' s3cret ' }, provider).clientSecret).toBe('s3cret');
    expect(providerInput({ ...values, withoutSecret: true }, provider).clientSecret).toBe('');
  });

  it('asks for what it asked for, however the scopes are spaced', () => {
    const values = { ...providerValues(null), scopes: '  email   groups ' };
    expect(providerInput(values, null).scopes).toEqual(['email', 'groups']);
  });
});
