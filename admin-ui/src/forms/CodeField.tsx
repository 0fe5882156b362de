import { TextInput } from '@mantine/core';
import type { GetInputPropsReturnType } from '@mantine/form';
import { Link } from '@tanstack/react-router';

/** Asked for again before the gravest acts. A code counts once: forms empty the field after each try. */
export function CodeField({ input }: { input: GetInputPropsReturnType }) {
  return (
    <TextInput
      label="Code of your second factor"
      description={
        <>
          That your authenticator app shows, or a recovery code. Without one,{' '}
          <Link to="/second-factor">set it up</Link> first.
        </>
      }
      autoComplete="one-time-code"
      {...input}
    />
  );
}

export const codeRule = (value: string) =>
  value.trim() === '' ? 'Enter the code that your authenticator shows' : null;
