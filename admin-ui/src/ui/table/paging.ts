/** One page of a connection, as every list of the schema answers it. */
export interface Page<T> {
  nodes: readonly T[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
  totalCount: number;
}

interface LoadedPage<T> {
  /** The cursor that it was asked for with. */
  after: string | null;
  rows: readonly T[];
  /** Where the next page begins; null when this is the last. */
  next: string | null;
  /** Of which round of loading it is; a page of an older round is out of date. */
  round: number;
}

/** What is loaded of a list so far, from its beginning. */
export interface Loaded<T> {
  pages: readonly LoadedPage<T>[];
  /** All rows in order; one that moved over a page's edge between two answers stands here once. */
  rows: readonly T[];
  total: number;
  /** Where the next page begins; null when everything is here. */
  next: string | null;
}

export interface Range {
  first: number;
  last: number;
}

/**
 * Puts a page in its place: behind the others, or over what was known of it. When its end has moved, rows were
 * added or taken away, so the pages behind it no longer fit and are let go.
 */
export function withPage<T extends { id: string }>(
  loaded: Loaded<T> | null,
  index: number,
  page: Page<T>,
  round: number,
): Loaded<T> {
  const before = loaded?.pages ?? [];
  const after = index === 0 ? null : (before[index - 1]?.next ?? null);
  const next = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  const replaced = before[index];
  const behind = replaced && replaced.next === next ? before.slice(index + 1) : [];
  const pages = [...before.slice(0, index), { after, rows: page.nodes, next, round }, ...behind];
  return { pages, rows: rowsOf(pages), total: page.totalCount, next: pages.at(-1)?.next ?? null };
}

/** The first page in sight that is of an older round; null when all in sight is up to date. */
export function outdatedPage<T>(loaded: Loaded<T>, { first, last }: Range, round: number): number | null {
  let start = 0;
  for (const [index, page] of loaded.pages.entries()) {
    const end = start + page.rows.length;
    const inSight = index === 0 ? first < Math.max(end, 1) : start <= last && end > first;
    if (inSight && page.round < round) return index;
    start = end;
  }
  return null;
}

function rowsOf<T extends { id: string }>(pages: readonly LoadedPage<T>[]): T[] {
  const byId = new Map<string, T>();
  for (const { rows } of pages) for (const row of rows) if (!byId.has(row.id)) byId.set(row.id, row);
  return [...byId.values()];
}
