import { Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import { HttpError } from '../api/errors';
import { logIn, type Session } from '../api/session';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import classes from './form.module.css';

export function LoginForm({ onSession }: { onSession: (session: Session) => Promise<void> }) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { email: '', password: '' },
    validate: {
      email: (value) => (value.includes('@') ? null : 'Enter your e-mail address.'),
      password: (value) => (value === '' ? 'Enter your password.' : null),
    },
  });

  const submit = form.onSubmit(async ({ email, password }) => {
    setBusy(true);
    setFailure(null);
    try {
      await onSession(await logIn(email.trim(), password));
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  });

  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <TextInput
          label="E-mail"
          type="email"
          autoComplete="username"
          autoFocus
          key={form.key('email')}
          {...form.getInputProps('email')}
        />
        <PasswordInput
          label="Password"
          autoComplete="current-password"
          visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
          key={form.key('password')}
          {...form.getInputProps('password')}
        />
        {failure !== null && <LoginFailure error={failure} />}
        <Button type="submit" loading={busy} fullWidth>
          Sign in
        </Button>
      </Stack>
    </form>
  );
}

/** Here a 401 means wrong words, not an ended session; which of the two was wrong is not told. */
function LoginFailure({ error }: { error: unknown }) {
  if (error instanceof HttpError && error.status === 401) {
    return (
      <p role="alert" className={classes.wrong}>
        E-mail or password is wrong.
      </p>
    );
  }
  return <ErrorNotice error={error} />;
}
