import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { setUp, setupLinkIsValid } from '../api/session';
import { begin } from '../api/signed-in';
import { AccountForm } from '../forms/AccountForm';
import { EntryFrame } from '../ui/EntryFrame';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { Loading } from '../ui/feedback/Loading';
import { useTitle } from '../ui/use-title';

type Link = 'checking' | 'valid' | 'invalid' | { error: unknown };

export function SetupPage() {
  useTitle('First start');
  const { token } = useSearch({ from: '/setup' });
  const navigate = useNavigate();
  const [link, setLink] = useState<Link>('checking');

  useEffect(() => {
    setupLinkIsValid(token).then(
      (valid) => setLink(valid ? 'valid' : 'invalid'),
      (error: unknown) => setLink({ error }),
    );
  }, [token]);

  return (
    <EntryFrame title="First start" line="Create the first account of this installation.">
      {link === 'checking' && <Loading rows={4} />}
      {link === 'invalid' && (
        <p role="alert">
          This link has been used or is not valid. The server prints a new one at its start while it has no
          account.
        </p>
      )}
      {typeof link === 'object' && <ErrorNotice error={link.error} />}
      {link === 'valid' && (
        <AccountForm
          create={(account) => setUp({ token, ...account })}
          onSession={async (session) => {
            await begin(session);
            await navigate({ to: '/', replace: true });
          }}
        />
      )}
    </EntryFrame>
  );
}
