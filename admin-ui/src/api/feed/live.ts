import type { Client, OperationResult, TypedDocumentNode } from '@urql/core';
import { subscribe as listen, pipe } from 'wonka';
import { ask } from '../ask';
import {
  AlarmChangesDocument,
  type AlarmState,
  AlarmsDocument,
  type AlarmsQuery,
} from '../generated/graphql';
import type { Alarm, AlarmFeed } from './alarms';

const AGAIN_AFTER_MS = 3_000;
const AGAIN_AT_MOST_MS = 60_000;
const PAGE = 100;

/**
 * Follows a subscription until it is stopped. One that ends or is refused on the server's side is begun again,
 * less and less often until something comes.
 */
export function follow<Data, Variables extends object>(
  client: Client,
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  onData: (data: Data) => void,
): () => void {
  let stopped = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let pause = AGAIN_AFTER_MS;
  let end = begin();

  function begin(): () => void {
    const source = client.subscription<Data>(document as TypedDocumentNode<Data>, variables);
    const { unsubscribe } = pipe(
      source,
      listen((result: OperationResult<Data>) => {
        if (stopped) return;
        if (result.data) {
          pause = AGAIN_AFTER_MS;
          onData(result.data);
        }
        if (!result.data || !result.hasNext) again();
      }),
    );
    return unsubscribe;
  }

  function again() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (stopped) return;
      end();
      end = begin();
    }, pause);
    pause = Math.min(2 * pause, AGAIN_AT_MOST_MS);
  }

  return () => {
    stopped = true;
    clearTimeout(timer);
    end();
  };
}

/** `withDevice`: whether the viewer may know of devices; asking without it would be refused as a whole. */
export function followAlarms(client: Client, feed: AlarmFeed, withDevice: boolean): () => void {
  return follow(client, AlarmChangesDocument, { withDevice }, ({ alarms }) => feed.merge([alarms]));
}

/** Loads every open alarm, page by page, and puts the feed right by the whole. */
export async function loadOpenAlarms(client: Client, feed: AlarmFeed, withDevice: boolean): Promise<void> {
  const before = feed.get();
  const open: Alarm[] = [];
  let after: string | null = null;
  do {
    const page: AlarmsQuery['alarms'] = await openAlarmsPage(client, after, withDevice);
    open.push(...page.nodes);
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after !== null);
  feed.reconcile(open, before);
}

async function openAlarmsPage(
  client: Client,
  after: string | null,
  withDevice: boolean,
): Promise<AlarmsQuery['alarms']> {
  const states: AlarmState[] = ['RAISED', 'ACKNOWLEDGED'];
  return (await ask(client, AlarmsDocument, { first: PAGE, after, states, withDevice })).alarms;
}
