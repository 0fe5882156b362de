import { Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import type { Session } from '../api/session';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';

const PASSWORD_MIN = 12;

/** What somebody says of themselves. */
export interface NewAccount {
  email: string;
  displayName: string;
  password: string;
}

/** Makes one's own account through a one-time link; an invitation knows the e-mail address already. */
export function AccountForm({
  email,
  create,
  onSession,
}: {
  email?: string;
  create: (account: NewAccount) => Promise<Session>;
  onSession: (session: Session) => Promise<void>;
}) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { email: email ?? '', displayName: '', password: '', again: '' },
    validate: {
      email: (value) => (value.includes('@') ? null : 'Enter an e-mail address.'),
      displayName: (value) => (value.trim() === '' ? 'Enter the name that others shall see.' : null),
      password: (value) => (value.length < PASSWORD_MIN ? `Use at least ${PASSWORD_MIN} characters.` : null),
      again: (value, { password }) => (value === password ? null : 'The two passwords differ.'),
    },
  });

  const submit = form.onSubmit(async ({ email, displayName, password }) => {
    setBusy(true);
    setFailure(null);
    try {
      await onSession(await create({ email: email.trim(), displayName: displayName.trim(), password }));
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  });

  const toggle = { 'aria-label': 'Show or hide the password' };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <TextInput
          label="Your name"
          autoComplete="name"
          autoFocus
          key={form.key('displayName')}
          {...form.getInputProps('displayName')}
        />
        <TextInput
          label="E-mail"
          type="email"
          autoComplete="username"
          readOnly={email !== undefined}
          key={form.key('email')}
          {...form.getInputProps('email')}
        />
        <PasswordInput
          label="Password"
          description={`At least ${PASSWORD_MIN} characters`}
          autoComplete="new-password"
          visibilityToggleButtonProps={toggle}
          key={form.key('password')}
          {...form.getInputProps('password')}
        />
        <PasswordInput
          label="Password again"
          autoComplete="new-password"
          visibilityToggleButtonProps={toggle}
          key={form.key('again')}
          {...form.getInputProps('again')}
        />
        {failure !== null && <ErrorNotice error={failure} />}
        <Button type="submit" loading={busy} fullWidth>
          Create and sign in
        </Button>
      </Stack>
    </form>
  );
}
