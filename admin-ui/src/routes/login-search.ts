/** What the sign-in page is opened with. */
export interface LoginSearch {
  /** Where to go afterwards: a path of ours. */
  next?: string;
  /** Slug of the hospital whose identity providers are shown; empty to be asked for it. */
  hospital?: string;
  /** Why signing in through an identity provider did not work. */
  problem?: string;
}

export function loginSearch({ next, hospital, problem }: Record<string, unknown>): LoginSearch {
  return {
    ...(typeof next === 'string' && /^\/(?![/\\])/.test(next) ? { next } : {}),
    ...(typeof hospital === 'string' ? { hospital } : {}),
    ...(typeof problem === 'string' ? { problem } : {}),
  };
}
