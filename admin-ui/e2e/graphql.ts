import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import type { Hospital, Person } from './hospital';

/** Asks the API as another program would, with a person's API token. */
export async function ask<T>(
  { graphql }: Hospital,
  { token }: Person,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<T> {
  const response = await fetch(graphql, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data?: T; errors?: unknown };
  if (!data || errors) throw new Error(`${response.status}: ${JSON.stringify(errors)}`);
  return data;
}

/** Follows a subscription until `wanted` says yes to a push, and returns that push. */
export async function firstPush<T>(
  { graphqlWs }: Hospital,
  { token }: Person,
  query: string,
  variables: Record<string, unknown>,
  wanted: (data: T) => boolean,
): Promise<T> {
  class Authorized extends WebSocket {
    constructor(url: string, protocols: string | string[]) {
      super(url, protocols, { headers: { Authorization: `Bearer ${token}` } });
    }
  }
  const client = createClient({ url: graphqlWs, webSocketImpl: Authorized, retryAttempts: 0 });
  try {
    for await (const { data, errors } of client.iterate<Record<string, unknown>>({ query, variables })) {
      if (errors) throw new Error(JSON.stringify(errors));
      if (data && wanted(data as T)) return data as T;
    }
    throw new Error('the subscription ended');
  } finally {
    await client.dispose();
  }
}
