import { useCallback, useEffect, useMemo, useSyncExternalStore } from 'react';
import { follow } from '../../api/feed/live';
import type { News2, PatientVitals, Vital } from '../../api/feed/vitals';
import type { VitalSign } from '../../api/generated/graphql';
import { VitalsDocument } from '../../api/generated/graphql';
import { useTicking } from '../time';
import { useSignedIn } from '../use-signed-in';
import { withoutStale } from './news2';
import { isStale } from './staleness';

export interface CurrentVitals {
  bySign: ReadonlyMap<VitalSign, Vital>;
  /** The score without what has grown stale since the server computed it. */
  news2: News2;
}

/** The newest known vitals of a patient: what the query brought until the feed knows better. */
export function usePatientVitals(patientId: string, fromQuery: PatientVitals): CurrentVitals {
  const { vitals: feed } = useSignedIn();
  const current =
    useSyncExternalStore(
      useCallback((listener) => feed.subscribe(patientId, listener), [feed, patientId]),
      useCallback(() => feed.get(patientId), [feed, patientId]),
    ) ?? fromQuery;

  // Which values are stale now, as text: the row is drawn again only when one of them turns.
  const staleness = useTicking(
    useCallback(
      (now: number) => current.vitals.map((vital) => (isStale(vital, now) ? 1 : 0)).join(''),
      [current],
    ),
  );
  return useMemo(() => {
    const stale = current.vitals.filter((_, index) => staleness[index] === '1').map(({ sign }) => sign);
    return {
      bySign: new Map(current.vitals.map((vital) => [vital.sign, vital])),
      news2: withoutStale(current.news2, new Set(stale)),
    };
  }, [current, staleness]);
}

/** Follows the vitals of these patients as long as the page shows them. */
export function useVitalsSubscription(patients: readonly string[]): void {
  const { client, vitals: feed } = useSignedIn();
  const key = patients.join(' ');
  useEffect(() => {
    if (key === '') return;
    return follow(client, VitalsDocument, { patients: key.split(' ') }, ({ vitals }) =>
      feed.merge(vitals.patientId, vitals),
    );
  }, [client, feed, key]);
}
