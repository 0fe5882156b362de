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
  const [codeAsked, setCodeAsked] = useState(false);
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { email: '', password: '', code: '' },
    validate: {
      email: (value) => (value.includes('@') ? null : 'Enter your e-mail address.'),
      password: (value) => (value === '' ? 'Enter your password.' : null),
    },
  });

  const submit = form.onSubmit(async ({ email, password, code }) => {
    setBusy(true);
    setFailure(null);
    try {
      await onSession(await logIn(email.trim(), password, codeAsked ? code : undefined));
    } catch (error) {
      if (!codeAsked && asksForCode(error)) setCodeAsked(true);
      else setFailure(error);
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
        {codeAsked && (
          <TextInput
            label="Code of your authenticator app"
            description="Without your phone, enter one of your recovery codes."
            autoComplete="one-time-code"
            autoFocus
            key={form.key('code')}
            {...form.getInputProps('code')}
          />
        )}
        {failure !== null && <LoginFailure error={failure} codeAsked={codeAsked} />}
        <Button type="submit" loading={busy} fullWidth>
          Sign in
        </Button>
      </Stack>
    </form>
  );
}

/** The password was right, and its owner has a second factor. */
function asksForCode(error: unknown): boolean {
  return error instanceof HttpError && error.code === 'SECOND_FACTOR_NEEDED';
}

/** Here a 401 means wrong words, not an ended session; which of the two was wrong is not told. */
function LoginFailure({ error, codeAsked }: { error: unknown; codeAsked: boolean }) {
  if (error instanceof HttpError && error.status === 401) {
    return (
      <p role="alert" className={classes.wrong}>
        {codeAsked
          ? 'This code does not count. Wait for the next one, or use a recovery code.'
          : 'E-mail or password is wrong.'}
      </p>
    );
  }
  return <ErrorNotice error={error} />;
}
