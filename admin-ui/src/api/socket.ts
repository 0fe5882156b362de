import { createClient, type Client as SocketClient } from 'graphql-ws';
import { everySecond, now } from './clock';
import { advance, type ConnectionEvent, initialConnection, isGivenUp, PING_EVERY_MS } from './connection';
import { createStore, type Store } from './store';

export interface LiveSocket {
  socket: SocketClient;
  connection: Store<ReturnType<typeof initialConnection>>;
  close(): void;
}

/** Codes by which the server says that the cookie is no good: dialling again would not help. */
const SESSION_LOST = new Set([4401, 4403]);
const LONGEST_WAIT_MS = 15_000;

/** One socket for all subscriptions, `hospital` that in which an operator acts; it dials again until it is closed here or the session is lost. */
export function openSocket(hospital: string | null, onSessionLost: () => void): LiveSocket {
  const connection = createStore(initialConnection(now()));
  const tell = (type: ConnectionEvent['type']) =>
    connection.set(advance(connection.get(), { type, at: now() }));

  const socket = createClient({
    url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql/ws`,
    lazy: false,
    connectionParams: hospital ? { actIn: hospital } : undefined,
    onNonLazyError: () => tell('closed'),
    keepAlive: PING_EVERY_MS,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: (event) => !isSessionLost(event),
    retryWait: (attempt) =>
      wait(Math.min(LONGEST_WAIT_MS, 500 * 2 ** Math.min(attempt, 6)) * (0.5 + Math.random())),
    on: {
      connected: () => tell('opened'),
      message: () => tell('heard'),
      closed: (event) => {
        tell('closed');
        if (isSessionLost(event)) onSessionLost();
      },
    },
  });

  const stopTicking = everySecond(() => {
    tell('tick');
    if (isGivenUp(connection.get(), now())) socket.terminate();
  });

  return {
    socket,
    connection,
    close() {
      stopTicking();
      void socket.dispose();
    },
  };
}

function isSessionLost(event: unknown): boolean {
  return event instanceof CloseEvent && SESSION_LOST.has(event.code);
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
