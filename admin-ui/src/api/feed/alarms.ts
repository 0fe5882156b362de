import type { AlarmFieldsFragment, AlarmPriority, AlarmState } from '../generated/graphql';
import { batched } from './batch';

export type Alarm = AlarmFieldsFragment;

/** Everything the pages ask about alarms, made new as a whole whenever something changed. */
export interface AlarmsSnapshot {
  /** Raised or acknowledged; high priority first, then the oldest unacknowledged first. */
  open: readonly Alarm[];
  openByPatient: ReadonlyMap<string, readonly Alarm[]>;
  byId: ReadonlyMap<string, Alarm>;
  /** High alarms that arrived while this page was open and that nobody has taken care of yet. */
  notices: readonly Alarm[];
  unacknowledged: number;
  /** False until the whole list of open alarms has been loaded once. */
  complete: boolean;
}

const STATE_ORDER: Record<AlarmState, number> = { RAISED: 0, ACKNOWLEDGED: 1, CLEARED: 2 };
const PRIORITY_ORDER: Record<AlarmPriority, number> = { HIGH: 0, MEDIUM: 1, LOW: 2 };

/** An alarm only ever moves forward, so of two views of it the one that is further on is the newer. */
export function newerAlarm(known: Alarm | undefined, incoming: Alarm): Alarm {
  if (!known) return incoming;
  const steps = STATE_ORDER[incoming.state] - STATE_ORDER[known.state];
  if (steps !== 0) return steps > 0 ? incoming : known;
  return known.acknowledgedAt !== null && incoming.acknowledgedAt === null ? known : incoming;
}

export function isOpen(alarm: Alarm): boolean {
  return alarm.state !== 'CLEARED';
}

/** Most urgent first; equal ones by time and id, so that rows do not change places. */
export function byUrgency(a: Alarm, b: Alarm): number {
  return (
    STATE_ORDER[a.state] - STATE_ORDER[b.state] ||
    PRIORITY_ORDER[a.priority] - PRIORITY_ORDER[b.priority] ||
    Date.parse(b.raisedAt) - Date.parse(a.raisedAt) ||
    (a.id < b.id ? -1 : 1)
  );
}

export interface AlarmFeed {
  get(): AlarmsSnapshot;
  subscribe(listener: () => void): () => void;
  merge(incoming: readonly Alarm[]): void;
  /**
   * Takes the complete list of open alarms as `openNow`, asked for when `before` was the state: what was open
   * then and is not in it was cleared while the line was down.
   */
  reconcile(openNow: readonly Alarm[], before: AlarmsSnapshot): void;
  dismiss(alarmId: string): void;
}

export function createAlarmFeed(schedule?: (flush: () => void) => void): AlarmFeed {
  const byId = new Map<string, Alarm>();
  const noticed = new Set<string>();
  const listeners = new Set<() => void>();
  // What is open when the page loads is no news: it stands on the board already.
  let loaded = false;
  let snapshot = snapshotOf(byId, noticed, loaded);

  const flushSoon = batched(() => {
    snapshot = snapshotOf(byId, noticed, loaded);
    for (const listener of [...listeners]) listener();
  }, schedule);

  function take(incoming: readonly Alarm[]) {
    for (const alarm of incoming) {
      const known = byId.get(alarm.id);
      if (!known && loaded && alarm.priority === 'HIGH' && alarm.state === 'RAISED') noticed.add(alarm.id);
      byId.set(alarm.id, newerAlarm(known, alarm));
    }
    flushSoon();
  }

  return {
    get: () => snapshot,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    merge: take,
    reconcile(openNow, before) {
      const stillOpen = new Set(openNow.map(({ id }) => id));
      for (const { id } of before.open) if (!stillOpen.has(id)) byId.delete(id);
      take(openNow);
      loaded = true;
    },
    dismiss(alarmId) {
      noticed.delete(alarmId);
      flushSoon();
    },
  };
}

function snapshotOf(
  byId: ReadonlyMap<string, Alarm>,
  noticed: ReadonlySet<string>,
  complete: boolean,
): AlarmsSnapshot {
  const open = [...byId.values()].filter(isOpen).sort(byUrgency);
  const openByPatient = new Map<string, Alarm[]>();
  for (const alarm of open) {
    if (!alarm.patient) continue;
    const list = openByPatient.get(alarm.patient.id);
    if (list) list.push(alarm);
    else openByPatient.set(alarm.patient.id, [alarm]);
  }
  return {
    open,
    openByPatient,
    byId: new Map(byId),
    notices: open.filter(({ id, state }) => state === 'RAISED' && noticed.has(id)),
    unacknowledged: open.filter(({ state }) => state === 'RAISED').length,
    complete,
  };
}
