import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { acceptInvitation, type Invited, invitedBy } from '../api/session';
import { begin } from '../api/signed-in';
import { AccountForm } from '../forms/AccountForm';
import { EntryFrame } from '../ui/EntryFrame';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { Loading } from '../ui/feedback/Loading';
import { useTitle } from '../ui/use-title';

type Link = 'checking' | 'over' | { invited: Invited } | { error: unknown };

/** Where an invitation's link leads: somebody makes their account, and is signed in. */
export function InvitePage() {
  useTitle('Invitation');
  const { token } = useSearch({ from: '/invite' });
  const navigate = useNavigate();
  const [link, setLink] = useState<Link>('checking');

  useEffect(() => {
    invitedBy(token).then(
      (invited) => setLink(invited ? { invited } : 'over'),
      (error: unknown) => setLink({ error }),
    );
  }, [token]);

  const invited = typeof link === 'object' && 'invited' in link ? link.invited : null;
  return (
    <EntryFrame
      title={invited ? `Welcome to ${invited.hospital}` : 'Invitation'}
      line={invited ? 'Make your account to join.' : 'You were asked to join a hospital on this platform.'}
    >
      {link === 'checking' && <Loading rows={4} />}
      {link === 'over' && (
        <p role="alert">
          This invitation has been used, has been replaced by a newer one, or is too old. Ask whoever sent it
          for a new one.
        </p>
      )}
      {typeof link === 'object' && 'error' in link && <ErrorNotice error={link.error} />}
      {invited && (
        <AccountForm
          email={invited.email}
          create={({ displayName, password }) => acceptInvitation({ token, displayName, password })}
          onSession={async (session) => {
            await begin(session);
            await navigate({ to: '/', replace: true });
          }}
        />
      )}
    </EntryFrame>
  );
}
