import { useCallback, useEffect, useState } from 'react';
import { ask } from '../../api/ask';
import { now } from '../../api/clock';
import { TrendDocument, type VitalSign } from '../../api/generated/graphql';
import { useRefetchOnReconnect, useSignedIn } from '../use-signed-in';
import { EMPTY_SERIES, joined, type Series, seriesFrom, withPoint } from './series';

export const MAX_POINTS = 600;

export interface Trend {
  series: Series;
  loading: boolean;
  error: unknown;
  retry(): void;
}

/**
 * The measurements of a sign over the last minutes: history by a query, what follows by the feed. Without a
 * sign there is nothing to load.
 */
export function useTrend(patientId: string, sign: VitalSign | null, minutes: number): Trend {
  const { client, vitals: feed } = useSignedIn();
  const [series, setSeries] = useState<Series>(EMPTY_SERIES);
  const [state, setState] = useState<{ loading: boolean; error: unknown }>({
    loading: sign !== null,
    error: null,
  });
  const [run, setRun] = useState(0);
  const again = useCallback(() => setRun((count) => count + 1), []);
  useRefetchOnReconnect(again);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `run` asks for the same once more.
  useEffect(() => {
    if (sign === null) return;
    let current = true;
    setState({ loading: true, error: null });
    const since = new Date(now() - minutes * 60_000).toISOString();
    ask(client, TrendDocument, { id: patientId, sign, since, maxPoints: MAX_POINTS }).then(
      ({ patient }) => {
        if (!current) return;
        const history = seriesFrom(patient?.trend ?? []);
        setSeries((live) => joined(history, live));
        setState({ loading: false, error: null });
      },
      (error: unknown) => current && setState({ loading: false, error }),
    );
    return () => {
      current = false;
    };
  }, [client, patientId, sign, minutes, run]);

  useEffect(() => {
    const take = () => {
      const vital = feed.get(patientId)?.vitals.find((each) => each.sign === sign);
      if (!vital || vital.value === null) return;
      const { value } = vital;
      const at = Date.parse(vital.measuredAt) / 1_000;
      setSeries((series) => withPoint(series, at, value, now() / 1_000 - minutes * 60));
    };
    return feed.subscribe(patientId, take);
  }, [feed, patientId, sign, minutes]);

  return { series, ...state, retry: again };
}
