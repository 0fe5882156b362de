import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';

/** A real OpenID Connect provider on a free port of this machine. Anybody may sign in there with any password. */
export interface IdentityProvider {
  issuer: string;
  /** Groups of a person, by the name with which they sign in there. */
  groups: Record<string, string[]>;
  /** Makes the client known, with where to tell that somebody has signed out. */
  serve(hospital: string, logoutPath?: string): void;
  /** What its answers to browsers say whose they are (RFC 9207); null for the truth. */
  pretend(issuer: string | null): void;
  /** From now on signs with a key that nobody has seen. */
  rotateKeys(): void;
  stop(): Promise<void>;
}

export const CLIENT = { id: 'iomt', secret: 'a client secret of some length' };

export async function startProvider(): Promise<IdentityProvider> {
  let handle: RequestListener = (_, response) => response.writeHead(503).end();
  let pretended: string | null = null;
  const server = createServer((request, response) => {
    const setHeader = response.setHeader.bind(response);
    response.setHeader = (name, value) =>
      setHeader(
        name,
        name.toLowerCase() === 'location' && pretended ? saying(String(value), pretended) : value,
      );
    handle(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const groups: Record<string, string[]> = {};
  let key = newKey();
  let client: Record<string, unknown> = {};

  const build = () => {
    const made = new Provider(issuer, {
      clients: [client],
      jwks: { keys: [key] },
      cookies: { keys: ['for these journeys only'] },
      scopes: ['openid', 'email', 'profile', 'groups'],
      claims: {
        openid: ['sub'],
        email: ['email', 'email_verified'],
        profile: ['name'],
        groups: ['groups'],
      },
      features: { backchannelLogout: { enabled: true }, rpInitiatedLogout: { enabled: true } },
      // By itself it tells nobody on a loopback address that somebody has signed out.
      fetch: (url: URL, { dispatcher: _, ...options }: RequestInit & { dispatcher?: unknown }) =>
        fetch(url, options),
      findAccount: (_: unknown, id: string) => ({
        accountId: id,
        claims: () => ({
          sub: id,
          name: `${id} of the directory`,
          email: `${id}@directory.example`,
          email_verified: true,
          groups: groups[id] ?? [],
        }),
      }),
    });
    handle = made.callback();
  };
  return {
    issuer,
    groups,
    serve(hospital, logoutPath) {
      client = {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        redirect_uris: [`${hospital}/auth/oidc/callback`],
        post_logout_redirect_uris: [`${hospital}/login`],
        ...(logoutPath && {
          backchannel_logout_uri: `${hospital}${logoutPath}`,
          backchannel_logout_session_required: true,
        }),
      };
      build();
    },
    pretend(other) {
      pretended = other;
    },
    rotateKeys() {
      key = newKey();
      build();
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function saying(location: string, issuer: string): string {
  if (!URL.canParse(location)) return location;
  const url = new URL(location);
  if (url.searchParams.has('iss')) url.searchParams.set('iss', issuer);
  return url.href;
}

let keys = 0;

function newKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  keys += 1;
  return { ...privateKey.export({ format: 'jwk' }), kid: `key-${keys}`, use: 'sig', alg: 'RS256' };
}
