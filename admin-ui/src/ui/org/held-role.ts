/** A role as somebody holds it. */
export type HeldRole = { role: string; unit: { name: string; parentId: string | null } };

/** "nurse" where it is held in the whole hospital, else "nurse in 4 West". */
export const heldRole = ({ role, unit }: HeldRole): string =>
  unit.parentId === null ? role : `${role} in ${unit.name}`;
