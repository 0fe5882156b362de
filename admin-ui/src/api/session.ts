import { learnServerTime } from './clock';
import { HttpError } from './errors';

/** What the server tells about the signed-in person; the cookie itself is out of scripts' reach. */
export interface Session {
  csrf: string;
  email: string;
  displayName: string;
}

export interface FirstUser {
  token: string;
  email: string;
  displayName: string;
  password: string;
}

/** Null when nobody is signed in. */
export async function currentSession(): Promise<Session | null> {
  const response = await send('/auth/session', { method: 'GET' });
  if (response.status === 401) return null;
  return sessionFrom(response);
}

/** `code`: of the second factor, once the server has asked for it. */
export async function logIn(email: string, password: string, code?: string): Promise<Session> {
  return sessionFrom(await post('/auth/login', { email, password, code }));
}

/** Where the person's identity provider ends its own session, when they came through one. */
export async function logOut(csrf: string): Promise<string | null> {
  const response = await send('/auth/logout', { method: 'POST', headers: { 'X-CSRF-Token': csrf } });
  if (!response.ok && response.status !== 401) throw await problem(response);
  if (response.status !== 200) return null;
  const { continueAt }: { continueAt?: unknown } = await response.json();
  return typeof continueAt === 'string' ? continueAt : null;
}

/** A way in through a hospital's own identity provider. */
export interface Entrance {
  name: string;
  start: string;
}

/** None for a hospital that there is not. */
export async function entrancesOf(hospital: string): Promise<Entrance[]> {
  const response = await send(`/auth/oidc?hospital=${encodeURIComponent(hospital)}`, { method: 'GET' });
  if (!response.ok) throw await problem(response);
  return response.json();
}

/** Whether the one-time set-up link is still good. */
export async function setupLinkIsValid(token: string): Promise<boolean> {
  const response = await send(`/auth/setup?token=${encodeURIComponent(token)}`, { method: 'GET' });
  if (response.ok) return true;
  if (response.status === 404) return false;
  throw await problem(response);
}

export async function setUp(first: FirstUser): Promise<Session> {
  return sessionFrom(await post('/auth/setup', first));
}

/** Whom an invitation's link invites, and where to. */
export interface Invited {
  email: string;
  hospital: string;
}

/** Null when the link does not work any more. */
export async function invitedBy(token: string): Promise<Invited | null> {
  const response = await send(`/auth/invitation?token=${encodeURIComponent(token)}`, { method: 'GET' });
  if (response.status === 404) return null;
  if (!response.ok) throw await problem(response);
  return response.json();
}

export async function acceptInvitation(newcomer: Omit<FirstUser, 'email'>): Promise<Session> {
  return sessionFrom(await post('/auth/invitation', newcomer));
}

function post(path: string, body: unknown): Promise<Response> {
  return send(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function send(path: string, init: RequestInit): Promise<Response> {
  const sentAt = Date.now();
  const response = await fetch(path, {
    ...init,
    credentials: 'same-origin',
    headers: { Accept: 'application/json, application/problem+json', ...init.headers },
  });
  learnServerTime(response.headers.get('Date'), sentAt, Date.now());
  return response;
}

async function sessionFrom(response: Response): Promise<Session> {
  if (!response.ok) throw await problem(response);
  const body: Partial<Session> = await response.json();
  const { csrf, email, displayName } = body;
  if (typeof csrf !== 'string' || typeof email !== 'string' || typeof displayName !== 'string') {
    throw new HttpError(500, 'The answer of the server is not a session.');
  }
  return { csrf, email, displayName };
}

async function problem(response: Response): Promise<HttpError> {
  const body: { detail?: unknown; title?: unknown; code?: unknown } = await response.json().catch(() => ({}));
  const detail = typeof body.detail === 'string' ? body.detail : body.title;
  const code = typeof body.code === 'string' ? body.code : undefined;
  return new HttpError(response.status, typeof detail === 'string' ? detail : response.statusText, code);
}
