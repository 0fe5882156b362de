import type { Alarm } from '../../api/feed/alarms';
import type { AlarmPriority, AlarmState } from '../../api/generated/graphql';
import classes from './alarm-mark.module.css';

const PRIORITY_WORDS: Record<AlarmPriority, string> = { HIGH: 'High', MEDIUM: 'Medium', LOW: 'Low' };
/** Exclamation marks after IEC 60601-1-8, so that the priority shows without its colour. */
const PRIORITY_MARKS: Record<AlarmPriority, string> = { HIGH: '!!!', MEDIUM: '!!', LOW: '!' };
const STATE_WORDS: Record<AlarmState, string> = {
  RAISED: 'Raised',
  ACKNOWLEDGED: 'Acknowledged',
  CLEARED: 'Cleared',
};

export function PriorityMark({ priority }: { priority: AlarmPriority }) {
  return (
    <span className={classes.priority} data-priority={priority}>
      <span aria-hidden="true" className={classes.marks}>
        {PRIORITY_MARKS[priority]}
      </span>
      {PRIORITY_WORDS[priority]}
    </span>
  );
}

export function StateMark({ state }: { state: AlarmState }) {
  return (
    <span className={classes.state} data-state={state}>
      {STATE_WORDS[state]}
    </span>
  );
}

/** The most urgent open alarm of a patient and how many more there are. */
export function OpenAlarmMark({ alarms }: { alarms: readonly Alarm[] }) {
  const [first] = alarms;
  if (!first) return null;
  const more = alarms.length - 1;
  return (
    <span className={classes.open} data-priority={first.priority} data-state={first.state}>
      <PriorityMark priority={first.priority} />
      <span className={classes.title}>
        {first.title}
        {more > 0 && <span className={classes.more}> +{more} more</span>}
        {first.state === 'ACKNOWLEDGED' && <span className={classes.more}> · acknowledged</span>}
      </span>
    </span>
  );
}
