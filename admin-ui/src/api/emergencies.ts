import type { Client } from '@urql/core';
import { ask } from './ask';
import { now } from './clock';
import {
  type OpenRecordFieldsFragment,
  OpenRecordsDocument,
  UnreviewedOpeningsDocument,
} from './generated/graphql';
import { createStore, type Store } from './store';

export type OpenRecord = OpenRecordFieldsFragment;

/** Records that the viewer has open in an emergency, and how many of everybody's the viewer has to look at. */
export interface Emergencies {
  /** Of the viewer, the first to end first. */
  open: Store<readonly OpenRecord[]>;
  unreviewed: Store<number>;
  /** Looks now: something was opened, closed or reviewed here. */
  load(): Promise<void>;
  close(): void;
}

/** Which records are open: another text when the viewer sees more or less than before. */
export function idsOf(open: readonly OpenRecord[]): string {
  return open.map(({ id }) => id).join(' ');
}

/** What was opened, closed or reviewed elsewhere is known after this. */
const LOOK_EVERY_MS = 30_000;

export function createEmergencies(client: Client, may: (permission: string) => boolean): Emergencies {
  const open = createStore<readonly OpenRecord[]>([]);
  const unreviewed = createStore(0);
  let ending: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;

  const drop = () => {
    const left = open.get().filter(({ until }) => Date.parse(until) > now());
    if (left.length < open.get().length) open.set(left);
    wait();
  };
  /** What ends must not stay on the screen until somebody looks. */
  const wait = () => {
    clearTimeout(ending);
    const first = Math.min(...open.get().map(({ until }) => Date.parse(until)));
    if (!stopped && Number.isFinite(first)) ending = setTimeout(drop, Math.max(first - now(), 0) + 50);
  };
  const load = async () => {
    if (may('patient:break_glass')) {
      const { openRecords } = await ask(client, OpenRecordsDocument, {});
      if (stopped) return;
      open.set(openRecords);
      wait();
    }
    if (may('audit:read')) {
      const found = await ask(client, UnreviewedOpeningsDocument, {});
      if (!stopped) unreviewed.set(found.unreviewedOpenings);
    }
  };
  const look = () => void load().catch(() => {});
  const every = setInterval(look, LOOK_EVERY_MS);
  look();
  return {
    open,
    unreviewed,
    load,
    close() {
      stopped = true;
      clearInterval(every);
      clearTimeout(ending);
    },
  };
}
