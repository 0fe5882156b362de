import { type ErrorComponentProps, useRouter } from '@tanstack/react-router';
import { PageBroken } from '../api/errors';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import page from '../ui/page.module.css';

/** A page that could not be opened at all, e.g. because the server was not to be reached, or that broke while it was drawn. */
export function PageError({ error, info }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <main className={page.page}>
      <ErrorNotice
        error={info ? new PageBroken(String(error)) : error}
        retry={() => void router.invalidate()}
      />
    </main>
  );
}
