import { redirect, useRouter } from '@tanstack/react-router';
import { useEffect } from 'react';
import { Provider } from 'urql';
import { resume, signedIn } from '../api/signed-in';
import { useStore } from '../api/store';
import { Shell } from '../ui/shell/Shell';
import { SignedInContext } from '../ui/use-signed-in';

/** Lets nobody pass who has no session; the page asked for is opened after signing in. */
export async function demandSession({
  location,
}: {
  location: { href: string; pathname: string };
}): Promise<void> {
  if (await resume()) return;
  const search = location.pathname === '/' ? {} : { next: location.href };
  throw redirect({ to: '/login', search, replace: true });
}

/** Whoever is signed in already does not have to do it again; without an answer the page says so itself. */
export async function passOnWhoIsSignedIn({ search }: { search: { next?: string } }): Promise<void> {
  const current = await resume().catch(() => null);
  if (current) throw redirect({ href: search.next ?? '/', replace: true });
}

export function AuthenticatedLayout() {
  const current = useStore(signedIn);
  const router = useRouter();

  // Signed out here, in another tab, or by the server.
  useEffect(() => {
    if (current) return;
    void router.navigate({ to: '/login', search: { next: router.latestLocation.href }, replace: true });
  }, [current, router]);

  if (!current) return null;
  return (
    <SignedInContext value={current}>
      <Provider value={current.client}>
        <Shell />
      </Provider>
    </SignedInContext>
  );
}
