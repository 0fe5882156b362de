/** A unit as lists of choices name it. */
export type Unit = { id: string; name: string; parentId: string | null };

/** How far below the hospital each unit stands; the server gives each behind what it belongs to. */
export function depths(units: readonly Unit[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const { id, parentId } of units) found.set(id, parentId === null ? 0 : (found.get(parentId) ?? 0) + 1);
  return found;
}

/** "Medicine › 4 West": without the hospital, in which everything is. */
export function unitPath(units: readonly Unit[], id: string): string {
  const byId = new Map(units.map((unit) => [unit.id, unit]));
  const names: string[] = [];
  for (let at = byId.get(id); at; at = at.parentId === null ? undefined : byId.get(at.parentId)) {
    if (at.parentId !== null || names.length === 0) names.unshift(at.name);
  }
  return names.join(' › ');
}
