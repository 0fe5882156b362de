import { createContext, use, useEffect, useEffectEvent, useRef } from 'react';
import { idsOf } from '../api/emergencies';
import type { SignedIn } from '../api/signed-in';
import { useStore } from '../api/store';

export const SignedInContext = createContext<SignedIn | null>(null);

/** Who is signed in; only below the pages that ask for a session. */
export function useSignedIn(): SignedIn {
  const value = use(SignedInContext);
  if (!value) throw new Error('used outside a signed-in page');
  return value;
}

/**
 * Runs `refetch` when the line has come back, so that nothing that happened meanwhile is missed, and when a record
 * was opened in an emergency or closed again: what may no longer be seen must not stay on the screen.
 */
export function useRefetchOnReconnect(refetch: () => void): void {
  const { connection, emergencies } = useSignedIn();
  const { generation } = useStore(connection);
  const reach = `${generation} ${idsOf(useStore(emergencies.open))}`;
  const seen = useRef(reach);
  const run = useEffectEvent(refetch);
  useEffect(() => {
    if (seen.current === reach) return;
    seen.current = reach;
    run();
  }, [reach]);
}
