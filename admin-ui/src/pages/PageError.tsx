import { useRouter } from '@tanstack/react-router';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import page from '../ui/page.module.css';

/** A page that could not be opened at all, e.g. because the server was not to be reached. */
export function PageError({ error }: { error: unknown }) {
  const router = useRouter();
  return (
    <main className={page.page}>
      <ErrorNotice error={error} retry={() => void router.invalidate()} />
    </main>
  );
}
