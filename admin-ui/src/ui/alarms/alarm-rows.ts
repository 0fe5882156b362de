import { type Alarm, type AlarmsSnapshot, newerAlarm } from '../../api/feed/alarms';

/**
 * A loaded list with what the feed knows put over it: every row in its newest state, and open alarms that came
 * after the list was loaded on top. `belongs` tells which those are.
 */
export function alarmRows(
  loaded: readonly Alarm[],
  live: AlarmsSnapshot,
  belongs: (alarm: Alarm) => boolean,
): Alarm[] {
  const inList = new Set(loaded.map(({ id }) => id));
  const arrived = live.open.filter((alarm) => !inList.has(alarm.id) && belongs(alarm));
  return [...arrived, ...loaded.map((alarm) => newerAlarm(live.byId.get(alarm.id), alarm))];
}
