import { Client, type CombinedError, fetchExchange, mapExchange, subscriptionExchange } from '@urql/core';
import type { Client as SocketClient } from 'graphql-ws';
import { learnServerTime } from './clock';
import { errorCode } from './errors';

/**
 * The GraphQL client. It has no cache on purpose: what is shown must be current, so queries always ask the
 * server, and what changes by itself comes through the feeds. `hospital`: in which an operator acts.
 */
export function createGraphqlClient(
  { csrf, hospital }: { csrf: string; hospital: string | null },
  socket: SocketClient,
  onSessionLost: () => void,
): Client {
  const acting: Record<string, string> = hospital ? { 'X-Act-In': hospital } : {};
  return new Client({
    url: '/graphql',
    requestPolicy: 'network-only',
    preferGetMethod: false,
    fetch: fetchAndLearnTime,
    fetchOptions: { credentials: 'same-origin', headers: { 'X-CSRF-Token': csrf, ...acting } },
    exchanges: [
      mapExchange({
        onError: (error) => {
          if (errorCode(error) === 'UNAUTHENTICATED' || isForeignToken(error)) onSessionLost();
        },
      }),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = '', variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe({ query, variables: variables as Record<string, unknown> }, sink),
          }),
        }),
      }),
    ],
  });
}

/** The whole request was refused: somebody has signed in anew in another tab, and the token is of before. */
function isForeignToken({ networkError, response }: CombinedError): boolean {
  return networkError !== undefined && (response as Response | undefined)?.status === 403;
}

async function fetchAndLearnTime(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const sentAt = Date.now();
  const response = await fetch(input, init);
  learnServerTime(response.headers.get('Date'), sentAt, Date.now());
  return response;
}
