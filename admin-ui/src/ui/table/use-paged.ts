import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import { createPagedList, type PagedList, type PagedState } from './paged-list';
import type { Page } from './paging';

export type Paged<T> = PagedState<T> & Pick<PagedList<T>, 'show' | 'loadMore' | 'refetch'>;

/**
 * A list that is loaded page by page. `load` must keep its identity as long as it means the same list; a new
 * one (another search) begins anew, while the old rows stay until the first new ones are here.
 */
export function usePaged<T extends { id: string }>(
  load: (after: string | null) => Promise<Page<T>>,
): Paged<T> {
  const list = useMemo(() => createPagedList(load), [load]);
  useEffect(() => list.open(), [list]);
  const { loaded, loading, error } = useSyncExternalStore(list.subscribe, list.get);
  const shown = useRef(loaded);
  if (loaded) shown.current = loaded;
  const { show, loadMore, refetch } = list;
  return { loaded: shown.current, loading, error, show, loadMore, refetch };
}
