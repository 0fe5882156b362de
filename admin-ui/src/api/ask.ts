import type { Client, TypedDocumentNode } from '@urql/core';

/** One query, answered or thrown. An answer that lacks parts the viewer may not see is an answer. */
export async function ask<Data, Variables extends object>(
  client: Client,
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
): Promise<Data> {
  const { data, error } = await client
    .query<Data>(document as TypedDocumentNode<Data>, variables)
    .toPromise();
  if (data === undefined || data === null) throw error ?? new Error('no answer');
  return data;
}
