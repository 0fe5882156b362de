import type { News2FieldsFragment, VitalFieldsFragment, VitalSign } from '../generated/graphql';
import { batched } from './batch';

export type Vital = VitalFieldsFragment;
export type News2 = News2FieldsFragment;

/** What is known of one patient now. */
export interface PatientVitals {
  vitals: readonly Vital[];
  news2: News2;
}

/**
 * Puts an incoming state over the known one. Answers of queries and pushes of the subscription cross each
 * other on the way, so per sign the newer measurement wins, and the score of an older state never replaces
 * that of a newer one.
 */
export function mergeVitals(known: PatientVitals | undefined, incoming: PatientVitals): PatientVitals {
  if (!known) return incoming;
  const bySign = new Map<VitalSign, Vital>(known.vitals.map((vital) => [vital.sign, vital]));
  let incomingIsOlder = false;
  for (const vital of incoming.vitals) {
    const before = bySign.get(vital.sign);
    if (before && isNewer(before, vital)) incomingIsOlder = true;
    else bySign.set(vital.sign, vital);
  }
  return { vitals: [...bySign.values()], news2: incomingIsOlder ? known.news2 : incoming.news2 };
}

function isNewer(a: Vital, b: Vital): boolean {
  const measured = Date.parse(a.measuredAt) - Date.parse(b.measuredAt);
  if (measured !== 0) return measured > 0;
  return Date.parse(a.receivedAt) > Date.parse(b.receivedAt);
}

export interface VitalsFeed {
  get(patientId: string): PatientVitals | undefined;
  merge(patientId: string, incoming: PatientVitals): void;
  /** Told once per batch of changes of this patient. */
  subscribe(patientId: string, listener: () => void): () => void;
}

export function createVitalsFeed(schedule?: (flush: () => void) => void): VitalsFeed {
  const patients = new Map<string, PatientVitals>();
  const listeners = new Map<string, Set<() => void>>();
  const changed = new Set<string>();

  const flushSoon = batched(() => {
    const ids = [...changed];
    changed.clear();
    for (const id of ids) for (const listener of [...(listeners.get(id) ?? [])]) listener();
  }, schedule);

  return {
    get: (patientId) => patients.get(patientId),
    merge(patientId, incoming) {
      patients.set(patientId, mergeVitals(patients.get(patientId), incoming));
      changed.add(patientId);
      flushSoon();
    },
    subscribe(patientId, listener) {
      const set = listeners.get(patientId) ?? new Set();
      listeners.set(patientId, set.add(listener));
      return () => {
        set.delete(listener);
        if (set.size === 0 && listeners.get(patientId) === set) listeners.delete(patientId);
      };
    },
  };
}
