/**
 * Whether what is on the screen can be believed to be current, as a pure state machine. The socket answers a
 * ping every few seconds, so silence means that the line is dead although nobody has closed it.
 */
export type ConnectionPhase = 'connecting' | 'live' | 'stale' | 'reconnecting';

export interface Connection {
  phase: ConnectionPhase;
  /** When the phase began. */
  since: number;
  /** When the server was last heard, in any phase. */
  heardAt: number | null;
  /** Counts the times the line came back: whoever shows lists loads them again when it changes. */
  generation: number;
}

export type ConnectionEvent = { type: 'opened' | 'heard' | 'closed' | 'tick'; at: number };

export const PING_EVERY_MS = 8_000;
/** Two pings unanswered and a little. */
export const STALE_AFTER_MS = 20_000;
/** A silent line is given up and dialled anew. */
export const GIVE_UP_AFTER_MS = 40_000;

export function initialConnection(at: number): Connection {
  return { phase: 'connecting', since: at, heardAt: null, generation: 0 };
}

export function advance(connection: Connection, event: ConnectionEvent): Connection {
  const { type, at } = event;
  switch (type) {
    case 'opened': {
      const first = connection.heardAt === null;
      const generation = first ? connection.generation : connection.generation + 1;
      return { phase: 'live', since: at, heardAt: at, generation };
    }
    case 'heard':
      return connection.phase === 'stale'
        ? { ...connection, phase: 'live', since: at, heardAt: at }
        : { ...connection, heardAt: at };
    case 'closed':
      if (connection.phase === 'connecting' || connection.phase === 'reconnecting') return connection;
      return { ...connection, phase: 'reconnecting', since: at };
    case 'tick':
      if (connection.phase !== 'live' || silence(connection, at) < STALE_AFTER_MS) return connection;
      return { ...connection, phase: 'stale', since: at };
  }
}

export function isGivenUp(connection: Connection, at: number): boolean {
  return connection.phase === 'stale' && silence(connection, at) >= GIVE_UP_AFTER_MS;
}

function silence(connection: Connection, at: number): number {
  return connection.heardAt === null ? 0 : at - connection.heardAt;
}
