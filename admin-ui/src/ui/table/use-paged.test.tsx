import { act, renderHook, waitFor } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import { append, type Page } from './paging';
import { usePaged } from './use-paged';

type Row = { id: string };

function pages(all: string[], size: number) {
  return vi.fn(async (after: string | null): Promise<Page<Row>> => {
    const from = after === null ? 0 : Number(after);
    const nodes = all.slice(from, from + size).map((id) => ({ id }));
    const end = from + nodes.length;
    return {
      nodes,
      totalCount: all.length,
      pageInfo: { hasNextPage: end < all.length, endCursor: String(end) },
    };
  });
}

const idsOf = (paged: { loaded: { rows: readonly Row[] } | null }) => paged.loaded?.rows.map(({ id }) => id);

describe('append', () => {
  it('does not show a row twice that moved over the edge of a page', () => {
    const page = {
      nodes: [{ id: 'b' }, { id: 'c' }],
      totalCount: 3,
      pageInfo: { hasNextPage: false, endCursor: 'x' },
    };
    expect(append({ rows: [{ id: 'a' }, { id: 'b' }], total: 3, next: '2' }, page, ({ id }) => id)).toEqual({
      rows: [{ id: 'a' }, { id: 'b' }, { id: 'c' }],
      total: 3,
      next: null,
    });
  });
});

describe('usePaged', () => {
  it('loads the first page, more on demand, and as many again', async () => {
    const load = pages(['a', 'b', 'c', 'd', 'e'], 2);
    const { result } = renderHook(() => usePaged(load));
    await waitFor(() => expect(idsOf(result.current)).toEqual(['a', 'b']));
    act(() => result.current.loadMore());
    await waitFor(() => expect(idsOf(result.current)).toEqual(['a', 'b', 'c', 'd']));
    load.mockClear();
    act(() => result.current.refetch());
    await waitFor(() => expect(result.current.loading).toBe(false));
    expect(load.mock.calls.map(([after]) => after)).toEqual([null, '2']);
    act(() => result.current.loadMore());
    await waitFor(() => expect(idsOf(result.current)).toEqual(['a', 'b', 'c', 'd', 'e']));
    act(() => result.current.loadMore());
    expect(load).toHaveBeenCalledTimes(3);
  });

  it('throws away the late answer of another search', async () => {
    let answerSlow = (_: Page<Row>) => {};
    const slow = (_: string | null) =>
      new Promise<Page<Row>>((resolve) => {
        answerSlow = resolve;
      });
    const quick = pages(['new'], 2);
    const { result, rerender } = renderHook(({ load }) => usePaged<Row>(load), {
      initialProps: { load: slow },
    });
    rerender({ load: quick });
    await waitFor(() => expect(idsOf(result.current)).toEqual(['new']));
    await act(async () =>
      answerSlow({
        nodes: [{ id: 'old' }],
        totalCount: 1,
        pageInfo: { hasNextPage: false, endCursor: null },
      }),
    );
    expect(idsOf(result.current)).toEqual(['new']);
  });

  it('keeps the rows when loading again fails, and says so', async () => {
    let broken = false;
    const good = pages(['a'], 2);
    const load = async (after: string | null) => {
      if (broken) throw new TypeError('failed to fetch');
      return good(after);
    };
    const { result } = renderHook(() => usePaged(load));
    await waitFor(() => expect(idsOf(result.current)).toEqual(['a']));
    broken = true;
    act(() => result.current.refetch());
    await waitFor(() => expect(result.current.error).toBeInstanceOf(TypeError));
    expect(idsOf(result.current)).toEqual(['a']);
  });
});
