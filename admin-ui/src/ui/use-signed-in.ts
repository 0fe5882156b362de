import { createContext, use, useEffect, useEffectEvent, useRef } from 'react';
import type { SignedIn } from '../api/signed-in';
import { useStore } from '../api/store';

export const SignedInContext = createContext<SignedIn | null>(null);

/** Who is signed in; only below the pages that ask for a session. */
export function useSignedIn(): SignedIn {
  const value = use(SignedInContext);
  if (!value) throw new Error('used outside a signed-in page');
  return value;
}

/** Runs `refetch` when the line has come back, so that nothing that happened meanwhile is missed. */
export function useRefetchOnReconnect(refetch: () => void): void {
  const { generation } = useStore(useSignedIn().connection);
  const seen = useRef(generation);
  const run = useEffectEvent(refetch);
  useEffect(() => {
    if (seen.current === generation) return;
    seen.current = generation;
    run();
  }, [generation]);
}
