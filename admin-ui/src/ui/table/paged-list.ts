import { createStore } from '../../api/store';
import { type Loaded, outdatedPage, type Page, type Range, withPage } from './paging';

export interface PagedState<T> {
  /** Null until the first page is here. */
  loaded: Loaded<T> | null;
  loading: boolean;
  error: unknown;
}

/** What a table tells about the part of the list that it shows. */
export interface Scrolling {
  /** Which rows are in sight: only these are kept up to date. */
  show(range: Range): void;
  /** The end is near. */
  loadMore(): void;
}

export interface PagedList<T> extends Scrolling {
  get(): PagedState<T>;
  subscribe(listener: () => void): () => void;
  /** Loads again what is in sight now, and the rest when it comes into sight; old rows stay until then. */
  refetch(): void;
  /** Begins or goes on loading; the answer ends it, and what comes later is thrown away. */
  open(): () => void;
}

/**
 * A list of any length that is loaded page by page, one request at a time. Ten thousand rows cost as little to
 * keep current as the twenty that somebody looks at.
 */
export function createPagedList<T extends { id: string }>(
  load: (after: string | null) => Promise<Page<T>>,
): PagedList<T> {
  const state = createStore<PagedState<T>>({ loaded: null, loading: true, error: null });
  let round = 1;
  let range: Range = { first: 0, last: 0 };
  let wantsMore = false;
  let busy = false;
  let closed = true;

  /** The index of the page to ask for next; null when there is nothing to do. */
  function nextTask(): number | null {
    const { loaded } = state.get();
    if (!loaded) return 0;
    const outdated = outdatedPage(loaded, range, round);
    if (outdated !== null) return outdated;
    return wantsMore && loaded.next !== null ? loaded.pages.length : null;
  }

  async function work() {
    if (busy || closed) return;
    busy = true;
    try {
      for (let task = nextTask(); task !== null; task = nextTask()) {
        const { loaded } = state.get();
        const isMore = loaded !== null && task === loaded.pages.length;
        const asked = round;
        state.set({ ...state.get(), loading: true });
        const after = task === 0 ? null : (loaded?.pages[task - 1]?.next ?? null);
        const page = await load(after);
        if (closed) return;
        if (isMore) wantsMore = false;
        state.set({ loaded: withPage(loaded, task, page, asked), loading: true, error: null });
      }
      state.set({ ...state.get(), loading: false });
    } catch (error) {
      wantsMore = false;
      if (!closed) state.set({ ...state.get(), loading: false, error });
    } finally {
      busy = false;
    }
  }

  return {
    get: state.get,
    subscribe: state.subscribe,
    show(next) {
      range = next;
      if (state.get().error === null) void work();
    },
    loadMore() {
      wantsMore = true;
      void work();
    },
    refetch() {
      round += 1;
      void work();
    },
    open() {
      closed = false;
      void work();
      return () => {
        closed = true;
      };
    },
  };
}
