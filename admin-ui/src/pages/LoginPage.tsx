import { useNavigate, useRouter, useSearch } from '@tanstack/react-router';
import { begin } from '../api/signed-in';
import { LoginForm } from '../forms/LoginForm';
import { EntryFrame } from '../ui/EntryFrame';
import { useTitle } from '../ui/use-title';

export function LoginPage() {
  useTitle('Sign in');
  const { next } = useSearch({ from: '/login' });
  const navigate = useNavigate();
  const { history } = useRouter();
  return (
    <EntryFrame title="Sign in" line="Devices, patients and alarms of your hospital.">
      <LoginForm
        onSession={async (session) => {
          await begin(session);
          if (next) history.replace(next);
          else await navigate({ to: '/', replace: true });
        }}
      />
    </EntryFrame>
  );
}
