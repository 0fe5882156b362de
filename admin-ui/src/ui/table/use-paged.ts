import { useCallback, useEffect, useRef, useState } from 'react';
import { append, type Loaded, type Page } from './paging';

export interface Paged<T> {
  /** Null until the first page is here. */
  loaded: Loaded<T> | null;
  loading: boolean;
  error: unknown;
  loadMore(): void;
  /** Loads again as much as is shown; the old rows stay until the new ones are complete. */
  refetch(): void;
}

/**
 * A list that is loaded page by page. `load` must keep its identity as long as it means the same list; a new
 * one (another search) begins anew, and answers that come late for the old one are thrown away.
 */
export function usePaged<T extends { id: string }>(
  load: (after: string | null) => Promise<Page<T>>,
): Paged<T> {
  const [loaded, setLoaded] = useState<Loaded<T> | null>(null);
  const [loading, setLoading] = useState(true);
  const [error, setError] = useState<unknown>(null);
  const run = useRef(0);
  const busy = useRef(false);

  const start = useCallback(
    async (from: Loaded<T> | null, atLeast: number) => {
      run.current += 1;
      const mine = run.current;
      const current = () => mine === run.current;
      busy.current = true;
      setLoading(true);
      try {
        let result = from;
        do {
          result = append(result, await load(result?.next ?? null), ({ id }) => id);
        } while (current() && result.next !== null && result.rows.length < atLeast);
        if (!current()) return;
        setLoaded(result);
        setError(null);
      } catch (cause) {
        if (current()) setError(cause);
      } finally {
        if (current()) {
          busy.current = false;
          setLoading(false);
        }
      }
    },
    [load],
  );

  useEffect(() => {
    void start(null, 0);
    return () => {
      run.current += 1;
    };
  }, [start]);

  return {
    loaded,
    loading,
    error,
    loadMore: () => {
      if (!busy.current && loaded !== null && loaded.next !== null) void start(loaded, 0);
    },
    refetch: () => void start(null, loaded?.rows.length ?? 0),
  };
}
