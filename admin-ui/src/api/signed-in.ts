import type { Client } from '@urql/core';
import { actingIn, leave } from './acting';
import { ask } from './ask';
import { createGraphqlClient } from './client';
import { createEmergencies, type Emergencies, idsOf } from './emergencies';
import { type AlarmFeed, createAlarmFeed } from './feed/alarms';
import { followAlarms, loadOpenAlarms } from './feed/live';
import { createVitalsFeed, type VitalsFeed } from './feed/vitals';
import { ViewerDocument, type ViewerQuery } from './generated/graphql';
import { createOperators, type Operators } from './operators';
import { currentSession, logOut, type Session } from './session';
import { type LiveSocket, openSocket } from './socket';
import { createStore } from './store';

export type Viewer = ViewerQuery['viewer'];

/** Everything that lives from signing in to signing out: client, socket and feeds. */
export interface SignedIn {
  session: Session;
  viewer: Viewer;
  client: Client;
  connection: LiveSocket['connection'];
  vitals: VitalsFeed;
  alarms: AlarmFeed;
  emergencies: Emergencies;
  operators: Operators;
  /** Whether the viewer's role permits an action, e.g. `alarm:acknowledge`. The server decides; this only hides. */
  may(permission: string): boolean;
  close(): void;
}

/** Who is signed in on this page, if anybody. */
export const signedIn = createStore<SignedIn | null>(null);

/** Takes up the cookie's session when there is one. */
export async function resume(): Promise<SignedIn | null> {
  const already = signedIn.get();
  if (already) return already;
  const session = await currentSession();
  return session ? begin(session) : null;
}

export async function begin(session: Session): Promise<SignedIn> {
  signedIn.get()?.close();
  const hospital = actingIn();
  const live = openSocket(hospital, lost);
  const client = createGraphqlClient({ csrf: session.csrf, hospital }, live.socket, lost);
  const { viewer } = await ask(client, ViewerDocument, {}).catch((error: unknown) => {
    live.close();
    throw error;
  });
  const granted = new Set(viewer.permissions);
  const may = (permission: string) => granted.has(permission);
  const alarms = createAlarmFeed();
  const emergencies = createEmergencies(client, may);
  const operators = createOperators(client, may);
  const stopAlarms = may('alarm:read')
    ? keepAlarmsCurrent(client, live.connection, emergencies, alarms, may('device:read'))
    : () => {};
  const next: SignedIn = {
    session,
    viewer,
    client,
    connection: live.connection,
    vitals: createVitalsFeed(),
    alarms,
    emergencies,
    operators,
    may,
    close() {
      stopAlarms();
      emergencies.close();
      operators.close();
      live.close();
    },
  };
  signedIn.set(next);
  return next;
}

export async function end(): Promise<void> {
  const current = signedIn.get();
  if (!current) return;
  const continueAt = await logOut(current.session.csrf);
  lost();
  if (continueAt) window.location.assign(continueAt);
}

/** For an operator who acts in a hospital it may be only that which is over. */
function lost() {
  if (actingIn()) return leave();
  const current = signedIn.get();
  signedIn.set(null);
  current?.close();
}

const TRY_AGAIN_MS = 5_000;

/**
 * Subscribes, and loads the whole list at the start, whenever the line has come back, and when a record was opened
 * in an emergency or closed again.
 */
function keepAlarmsCurrent(
  client: Client,
  connection: LiveSocket['connection'],
  { open }: Emergencies,
  feed: AlarmFeed,
  withDevice: boolean,
): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let generation = connection.get().generation;
  let stopped = false;

  const load = () => {
    clearTimeout(timer);
    loadOpenAlarms(client, feed, withDevice).catch(() => {
      if (!stopped) timer = setTimeout(load, TRY_AGAIN_MS);
    });
  };
  const stopFollowing = followAlarms(client, feed, withDevice);
  const stopWatching = connection.subscribe(() => {
    if (connection.get().generation === generation) return;
    generation = connection.get().generation;
    load();
  });
  let reach = idsOf(open.get());
  const stopWatchingRecords = open.subscribe(() => {
    if (idsOf(open.get()) === reach) return;
    reach = idsOf(open.get());
    load();
  });
  load();

  return () => {
    stopped = true;
    clearTimeout(timer);
    stopFollowing();
    stopWatching();
    stopWatchingRecords();
  };
}
