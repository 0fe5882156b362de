/** A unit as lists of choices name it. */
export type Unit = { id: string; name: string; parentId: string | null };

/** "Ward 2" before "Ward 10". */
const byName = new Intl.Collator(undefined, { numeric: true });

/** Each unit behind what it belongs to, siblings by name. One whose upper unit is not among them counts as a top. */
export function inOrder<U extends Unit>(units: readonly U[]): U[] {
  const known = new Set(units.map(({ id }) => id));
  const below = new Map<string | null, U[]>();
  for (const unit of units) {
    const parent = unit.parentId && known.has(unit.parentId) ? unit.parentId : null;
    const siblings = below.get(parent);
    if (siblings) siblings.push(unit);
    else below.set(parent, [unit]);
  }
  const ordered: U[] = [];
  const add = (parent: string | null) => {
    const siblings = below.get(parent) ?? [];
    for (const unit of siblings.toSorted((a, b) => byName.compare(a.name, b.name))) {
      ordered.push(unit);
      add(unit.id);
    }
  };
  add(null);
  return ordered;
}

/** How far below the hospital each unit stands; each is to come behind what it belongs to. */
export function depths(units: readonly Unit[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const { id, parentId } of units) found.set(id, parentId === null ? 0 : (found.get(parentId) ?? 0) + 1);
  return found;
}

/** "Medicine › 4 West" of each: without the hospital, in which everything is; each is to come behind what it belongs to. */
export function unitPaths(units: readonly Unit[]): Map<string, string> {
  const whole = new Set(units.filter(({ parentId }) => parentId === null).map(({ id }) => id));
  const paths = new Map<string, string>();
  for (const { id, name, parentId } of units) {
    const above = parentId === null || whole.has(parentId) ? undefined : paths.get(parentId);
    paths.set(id, above === undefined ? name : `${above} › ${name}`);
  }
  return paths;
}
