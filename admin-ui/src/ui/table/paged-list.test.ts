import { describe, expect, it, vi } from 'vitest';
import { createPagedList, type PagedList } from './paged-list';
import { outdatedPage, type Page, withPage } from './paging';

type Row = { id: string };

const page = (ids: string[], next: string | null, total = 9): Page<Row> => ({
  nodes: ids.map((id) => ({ id })),
  totalCount: total,
  pageInfo: { hasNextPage: next !== null, endCursor: next },
});

/** A server whose rows can change; a cursor is the last id of its page. */
function serverOf(rows: string[], size = 2) {
  const load = vi.fn(async (after: string | null) => {
    const from = after === null ? 0 : rows.indexOf(after) + 1;
    const ids = rows.slice(from, from + size);
    return page(ids, from + size < rows.length ? (ids.at(-1) ?? null) : null, rows.length);
  });
  return { rows, load, asked: () => load.mock.calls.map(([after]) => after) };
}

const idsOf = (list: PagedList<Row>) => list.get().loaded?.rows.map(({ id }) => id);
const settled = (list: PagedList<Row>) => vi.waitFor(() => expect(list.get().loading).toBe(false));

describe('the pages of a list', () => {
  it('show a row once that moved over an edge between two answers', () => {
    const loaded = withPage(withPage(null, 0, page(['a', 'b'], 'b'), 1), 1, page(['b', 'c'], null), 1);
    expect(loaded.rows.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  });

  it('behind one whose end has moved are let go, others stay', () => {
    const two = withPage(withPage(null, 0, page(['a', 'b'], 'b'), 1), 1, page(['c'], null), 1);
    expect(withPage(two, 0, page(['a', 'b'], 'b'), 2).pages.length).toBe(2);
    const moved = withPage(two, 0, page(['a', 'a2'], 'a2'), 2);
    expect([moved.pages.length, moved.next]).toEqual([1, 'a2']);
  });

  it('are out of date only where they are seen', () => {
    const two = withPage(withPage(null, 0, page(['a', 'b'], 'b'), 1), 1, page(['c', 'd'], null), 1);
    expect(outdatedPage(two, { first: 0, last: 1 }, 1)).toBeNull();
    expect(outdatedPage(two, { first: 0, last: 1 }, 2)).toBe(0);
    expect(outdatedPage(two, { first: 2, last: 3 }, 2)).toBe(1);
    expect(outdatedPage(withPage(null, 0, page([], null, 0), 1), { first: 0, last: 0 }, 2)).toBe(0);
  });
});

describe('a paged list', () => {
  it('loads the first page, more on demand, and ends', async () => {
    const { load, asked } = serverOf(['a', 'b', 'c', 'd', 'e']);
    const list = createPagedList(load);
    list.open();
    await settled(list);
    expect(idsOf(list)).toEqual(['a', 'b']);
    for (let more = 0; more < 5; more += 1) {
      list.loadMore();
      await settled(list);
    }
    expect(idsOf(list)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(asked()).toEqual([null, 'b', 'd']);
  });

  it('loads again only what is in sight, and the rest when it comes into sight', async () => {
    const { load, asked } = serverOf(['a', 'b', 'c', 'd', 'e', 'f']);
    const list = createPagedList(load);
    list.open();
    for (let more = 0; more < 3; more += 1) {
      list.loadMore();
      await settled(list);
    }
    list.show({ first: 2, last: 3 });
    load.mockClear();
    list.refetch();
    await settled(list);
    expect(asked()).toEqual(['b']);
    list.show({ first: 3, last: 5 });
    await settled(list);
    list.show({ first: 2, last: 3 });
    await settled(list);
    expect(asked()).toEqual(['b', 'd']);
  });

  it('follows rows that were added and taken away', async () => {
    const { rows, load } = serverOf(['a', 'b', 'c', 'd']);
    const list = createPagedList(load);
    list.open();
    await settled(list);
    list.loadMore();
    await settled(list);
    rows.splice(1, 1, 'a2', 'a3');
    list.refetch();
    await settled(list);
    list.loadMore();
    await settled(list);
    expect(idsOf(list)?.slice(0, 4)).toEqual(['a', 'a2', 'a3', 'c']);
  });

  it('keeps the rows when loading again fails, says so, and recovers', async () => {
    const { rows, load } = serverOf(['a']);
    const list = createPagedList(load);
    list.open();
    await settled(list);
    load.mockRejectedValueOnce(new TypeError('failed to fetch'));
    list.refetch();
    await vi.waitFor(() => expect(list.get().error).toBeInstanceOf(TypeError));
    expect(idsOf(list)).toEqual(['a']);
    rows[0] = 'b';
    list.refetch();
    await settled(list);
    expect([idsOf(list), list.get().error]).toEqual([['b'], null]);
  });

  it('throws away what comes after it was closed, and can be opened again', async () => {
    const { load } = serverOf(['a']);
    const list = createPagedList(load);
    const close = list.open();
    close();
    await Promise.allSettled(load.mock.results.map(({ value }) => value));
    expect(list.get().loaded).toBeNull();
    list.open();
    await settled(list);
    expect(idsOf(list)).toEqual(['a']);
  });
});
