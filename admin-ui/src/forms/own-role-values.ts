import type { RoleFieldsFragment, SaveRoleInput } from '../api/generated/graphql';

/** What the form holds; text as it is typed. */
export interface OwnRoleValues {
  name: string;
  title: string;
  policies: { object: string | null; action: string | null; rows: string; hiddenColumns: string[] }[];
}

/** A policy that somebody begins with. */
export const newPolicy = (): OwnRoleValues['policies'][number] => ({
  object: null,
  action: null,
  rows: 'all',
  hiddenColumns: [],
});

/** Null to add a role; a built-in one is copied under a name of its own. */
export function roleValues(role: RoleFieldsFragment | null): OwnRoleValues {
  if (!role) return { name: '', title: '', policies: [newPolicy()] };
  return {
    name: role.builtIn ? '' : role.name,
    title: role.builtIn ? '' : role.title,
    policies: role.policies.map(({ object, action, rows, hiddenColumns }) => ({
      object,
      action,
      rows,
      hiddenColumns: [...hiddenColumns],
    })),
  };
}

const chosen = (what: string) => (value: string | null) => (value?.trim() ? null : what);

export const roleChecks = {
  name: (value: string) =>
    /^[a-z][a-z0-9-]{1,38}$/.test(value.trim())
      ? null
      : 'Use 2 to 39 of a-z, 0-9 and -, starting with a letter.',
  title: chosen('Enter what people call it.'),
  policies: {
    object: chosen('Choose what it is about.'),
    action: chosen('Choose what may be done.'),
    rows: chosen('Write all, or a condition.'),
  },
};

/** `edited`: the role that is changed; null when one is added. */
export function roleInput(values: OwnRoleValues, edited: RoleFieldsFragment | null): SaveRoleInput {
  return {
    name: values.name.trim(),
    version: edited?.version ?? null,
    title: values.title.trim(),
    policies: values.policies.map(({ object, action, rows, hiddenColumns }) => ({
      object: object ?? '',
      action: action ?? '',
      rows: rows.trim(),
      hiddenColumns,
    })),
  };
}
