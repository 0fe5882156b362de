import type { PatientAccessKind, PatientAccessQuery } from '../../api/generated/graphql';

export type Access = PatientAccessQuery['patientAccessReport']['nodes'][number];

/** What somebody had to do with a record at one time, as the patient is told. */
export interface ReportLine {
  id: string;
  /** Of the first of it. */
  at: string;
  who: string;
  role: string;
  what: string;
  why: string;
  refused: boolean;
}

/** Opening a page reads several kinds of data within seconds: for a patient that is one event. */
const TOGETHER_MS = 10 * 60_000;

const DONE = {
  CHANGE: 'Changed where you lie, who treats you, or who may see your record',
  EMERGENCY: 'Opened your record in an emergency, or closed it again',
  EMERGENCY_REVIEW: 'Looked at whether your record had to be opened in an emergency',
} satisfies Partial<Record<PatientAccessKind, string>>;

const SEEN: Record<Exclude<PatientAccessKind, keyof typeof DONE | 'OTHER'>, string> = {
  IDENTITY: 'your name and where you lie',
  VITALS: 'your vital signs',
  TREND: 'your vital signs of an earlier time',
  WAVEFORM: 'your curves, such as the ECG',
  ALARM: 'your alarms',
  DEVICE: 'the devices at your bed and what they showed',
  MESSAGE: 'what a device at your bed sent',
  ACCESS_REPORT: 'this list of who saw your record',
};

/** The lines of a report, newest first, from what the trail has, newest first. */
export function reportOf(rows: readonly Access[]): ReportLine[] {
  const groups: Access[][] = [];
  for (const row of rows) {
    // What one person did is not always in a row: others look at the same time.
    const group = groups.findLast((candidate) => isTogether(candidate, row));
    if (group) group.push(row);
    else groups.push([row]);
  }
  return groups.map(lineOf);
}

function isTogether([newest]: readonly Access[], row: Access): boolean {
  return (
    newest !== undefined &&
    newest.actor === row.actor &&
    newest.refused === row.refused &&
    newest.reason === row.reason &&
    newest.roles === row.roles &&
    isSeen(newest) === isSeen(row) &&
    (isSeen(row) || newest.action === row.action) &&
    Date.parse(newest.at) - Date.parse(row.at) < TOGETHER_MS
  );
}

function isSeen({ kind }: Access): boolean {
  return kind in SEEN;
}

function lineOf(group: readonly Access[], index: number): ReportLine {
  const first = group[group.length - 1] as Access;
  return {
    id: `${first.at} ${index}`,
    at: first.at,
    who: first.name ?? (first.actor === 'system' ? 'The platform itself' : 'Name not known'),
    role: first.roles ?? '',
    what: whatOf(group),
    why: whyOf(first),
    refused: first.refused,
  };
}

function whatOf(group: readonly Access[]): string {
  const [{ kind, action, refused }] = group as [Access];
  if (kind in DONE) {
    const done = DONE[kind as keyof typeof DONE];
    return refused ? `${done}: refused` : done;
  }
  if (kind === 'OTHER') return action;
  const seen = (Object.keys(SEEN) as (keyof typeof SEEN)[]).filter((one) =>
    group.some((row) => row.kind === one),
  );
  const list = seen.map((one) => SEEN[one]).join(', ');
  return refused ? `Asked for ${list}, and was refused` : `Saw ${list}`;
}

function whyOf({ reason, roles, refused, actor }: Access): string {
  if (reason) return reason;
  if (refused) return 'Not allowed for them: nothing was shown';
  if (roles) return `Their work as ${roles}`;
  return actor === 'system' ? 'Keeping the record' : 'Not told';
}

/** The same as a file, with times that a spreadsheet understands. */
export function csvOf(lines: readonly ReportLine[]): string {
  const head = ['When', 'Who', 'Role', 'What', 'Why', 'Refused'];
  const rows = lines.map(({ at, who, role, what, why, refused }) => [
    at,
    who,
    role,
    what,
    why,
    refused ? 'yes' : 'no',
  ]);
  return [head, ...rows].map((fields) => `${fields.map(quoted).join(',')}\r\n`).join('');
}

/** A name that begins like a formula must not become one. */
function quoted(field: string): string {
  const formula = /^[=+\-@\t\r]/.test(field) ? "'" : '';
  return `"${formula}${field.replaceAll('"', '""')}"`;
}
