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

describe('signing in with a second factor', () => {
  it('asks for the code once the password was right, and says when the code is wrong', async () => {
    const refused = async () =>
      new Response(JSON.stringify({ detail: 'enter the code', code: 'SECOND_FACTOR_NEEDED' }), {
        status: 401,
      });
    const { sent, onSession } = await signIn(refused);
    const user = userEvent.setup();
    const code = await screen.findByLabelText('Code of your authenticator app');
    expect(screen.queryByRole('alert')).toBeNull();
    await user.type(code, '123456');
    sent.mockImplementation(json(401, { detail: 'wrong', code: 'UNAUTHENTICATED' }));
    await user.click(screen.getByRole('button', { name: 'Sign in' }));
    expect((await screen.findByRole('alert')).textContent).toContain('This code does not count');
    const session = { csrf: 'c', email: 'nora@example.org', displayName: 'Nora' };
    sent.mockImplementation(json(200, session));
    await user.click(screen.getByRole('button', { name: 'Sign in' }));
    await vi.waitFor(() => expect(onSession).toHaveBeenCalledWith(session));
    const body = '{"email":"nora@example.org","password":"secret","code":"123456"}';
    expect(sent).toHaveBeenLastCalledWith('/auth/login', expect.objectContaining({ body }));
  });
});

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
