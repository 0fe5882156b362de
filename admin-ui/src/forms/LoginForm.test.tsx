import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { renderIn, signedInWith } from '../test/render';
import { LoginForm } from './LoginForm';

afterEach(() => {
  vi.unstubAllGlobals();
});

async function signIn(answer: () => Promise<Response>) {
  const sent = vi.fn(answer);
  vi.stubGlobal('fetch', sent);
  const onSession = vi.fn(async () => {});
  renderIn(signedInWith({}), <LoginForm onSession={onSession} />);
  const user = userEvent.setup();
  await user.type(screen.getByLabelText('E-mail'), 'nora@example.org');
  await user.type(screen.getByLabelText('Password'), 'secret');
  await user.click(screen.getByRole('button', { name: 'Sign in' }));
  return { sent, onSession };
}

const json = (status: number, body: unknown) => async () => new Response(JSON.stringify(body), { status });

describe('signing in', () => {
  it('hands on the session', async () => {
    const session = { csrf: 'c', email: 'nora@example.org', displayName: 'Nora' };
    const { sent, onSession } = await signIn(json(200, session));
    await vi.waitFor(() => expect(onSession).toHaveBeenCalledWith(session));
    expect(sent).toHaveBeenCalledWith(
      '/auth/login',
      expect.objectContaining({ method: 'POST', body: '{"email":"nora@example.org","password":"secret"}' }),
    );
  });

  it.each<[string, () => Promise<Response>, string]>([
    ['a wrong password', json(401, { title: 'Unauthorized' }), 'E-mail or password is wrong.'],
    ['too many tries', json(429, { title: 'slow down' }), 'Too many requests'],
    ['a server that is away', () => Promise.reject(new TypeError('failed')), 'The server cannot be reached'],
    ['an answer that is no session', json(200, {}), 'Something went wrong'],
  ])('says in plain words: %s', async (_, answer, words) => {
    const { onSession } = await signIn(answer);
    expect((await screen.findByRole('alert')).textContent).toContain(words);
    expect(onSession).not.toHaveBeenCalled();
  });
});
