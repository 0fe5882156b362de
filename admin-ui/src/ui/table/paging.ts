/** One page of a connection, as every list of the schema answers it. */
export interface Page<T> {
  nodes: readonly T[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
  totalCount: number;
}

/** What is loaded of a list so far. */
export interface Loaded<T> {
  rows: readonly T[];
  total: number;
  /** Where the next page begins; null when everything is here. */
  next: string | null;
}

/** Puts the next page after what is loaded; a row that moved over a page's edge is not shown twice. */
export function append<T>(loaded: Loaded<T> | null, page: Page<T>, idOf: (row: T) => string): Loaded<T> {
  const before = loaded?.rows ?? [];
  const known = new Set(before.map(idOf));
  return {
    rows: [...before, ...page.nodes.filter((row) => !known.has(idOf(row)))],
    total: page.totalCount,
    next: page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null,
  };
}
