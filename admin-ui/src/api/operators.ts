import type { Client } from '@urql/core';
import { ask } from './ask';
import { WaitingElevationsDocument } from './generated/graphql';
import { createStore, type Store } from './store';

/** How many requests of operators wait for the viewer's hospital to answer. */
export interface Operators {
  waiting: Store<number>;
  /** Looks now: one was answered here. */
  load(): Promise<void>;
  close(): void;
}

/** What was asked elsewhere is known after this. */
const LOOK_EVERY_MS = 15_000;

export function createOperators(client: Client, may: (permission: string) => boolean): Operators {
  const waiting = createStore(0);
  let stopped = false;
  const load = async () => {
    if (!may('elevation:read')) return;
    const { waitingElevations } = await ask(client, WaitingElevationsDocument, {});
    if (!stopped) waiting.set(waitingElevations);
  };
  const look = () => void load().catch(() => {});
  const every = setInterval(look, LOOK_EVERY_MS);
  look();
  return {
    waiting,
    load,
    close() {
      stopped = true;
      clearInterval(every);
    },
  };
}
