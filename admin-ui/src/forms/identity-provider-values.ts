import type { ProviderFieldsFragment, SaveIdentityProviderInput } from '../api/generated/graphql';

/** What the form holds; text as it is typed. */
export interface ProviderValues {
  name: string;
  issuer: string;
  clientId: string;
  /** Empty to keep what there is. */
  clientSecret: string;
  withoutSecret: boolean;
  apiAudience: string;
  scopes: string;
  groupClaim: string;
  roles: { group: string; role: string | null; unit: string | null }[];
  defaultRole: string | null;
  enabled: boolean;
}

export function providerValues(provider: ProviderFieldsFragment | null): ProviderValues {
  return {
    name: provider?.name ?? '',
    issuer: provider?.issuer ?? '',
    clientId: provider?.clientId ?? '',
    clientSecret: '',
    withoutSecret: false,
    apiAudience: provider?.apiAudience ?? '',
    scopes: (provider?.scopes ?? ['email', 'profile']).join(' '),
    groupClaim: provider?.groupClaim ?? 'groups',
    roles: provider?.roles.map(({ group, role, unit }) => ({ group, role, unit: unit.id })) ?? [],
    defaultRole: provider?.defaultRole ?? null,
    enabled: provider?.enabled ?? true,
  };
}

const missing = (what: string) => (value: string | null) => (value?.trim() ? null : what);

export const providerChecks = {
  name: missing('Say what the button shall say, for example the name of your directory.'),
  issuer: (value: string) =>
    /^https?:\/\/\S+$/.test(value.trim()) ? null : 'Enter the address that the provider calls itself.',
  clientId: missing('Enter what the provider knows this platform as.'),
  groupClaim: missing('Enter the name of a claim, for example groups.'),
  roles: {
    group: missing('Enter the group as the provider names it.'),
    role: missing('Choose a role.'),
    unit: missing('Choose where it is held.'),
  },
};

export function providerInput(
  values: ProviderValues,
  provider: ProviderFieldsFragment | null,
): SaveIdentityProviderInput {
  const { clientSecret, withoutSecret, roles, defaultRole, enabled } = values;
  const secret = withoutSecret ? '' : clientSecret.trim() || null;
  return {
    ...(provider && { id: provider.id, version: provider.version }),
    name: values.name.trim(),
    issuer: values.issuer.trim(),
    clientId: values.clientId.trim(),
    ...(secret !== null && { clientSecret: secret }),
    apiAudience: values.apiAudience.trim() || null,
    scopes: values.scopes.split(/\s+/).filter(Boolean),
    groupClaim: values.groupClaim.trim(),
    roles: roles.map(({ group, role, unit }) => ({
      group: group.trim(),
      role: role ?? '',
      unit: unit ?? '',
    })),
    defaultRole,
    enabled,
  };
}
