import type { News2 } from '../../api/feed/vitals';
import type { ClinicalRisk, VitalSign } from '../../api/generated/graphql';

/** How a score is to be shown: its text never depends on the colour alone. */
export interface News2Display {
  /** "7", "5+", or "–" when nothing is known. */
  score: string;
  /** "High risk", "At least medium risk", "Risk unknown". */
  risk: string;
  /** "2 missing" or empty. */
  missing: string;
  tone: ClinicalRisk | null;
  partial: boolean;
}

const RISK_WORDS: Record<ClinicalRisk, string> = {
  LOW: 'low',
  LOW_MEDIUM: 'low-medium',
  MEDIUM: 'medium',
  HIGH: 'high',
};

/** Aggregate from which the risk is high whatever else is measured (RCP 2017, Chart 2). */
const HIGH_FROM = 7;
const MEDIUM_FROM = 5;
/** A red score: three points in one parameter alone make the risk low-medium. */
const RED = 3;

/**
 * The score without what has gone stale since it was computed: a stale parameter is missing, not its old
 * points, and only a risk that the rest proves is kept.
 */
export function withoutStale(news2: News2, stale: ReadonlySet<VitalSign>): News2 {
  const gone = news2.parameters.filter(({ sign, points }) => points !== null && stale.has(sign));
  if (gone.length === 0) return news2;

  const parameters = news2.parameters.map((parameter) =>
    stale.has(parameter.sign) && parameter.points !== null
      ? { ...parameter, points: null, reason: 'the last value is too old' }
      : parameter,
  );
  const points = parameters.flatMap((parameter) => (parameter.points === null ? [] : [parameter.points]));
  const score = points.length === 0 ? null : points.reduce((sum, each) => sum + each, 0);
  const missing: VitalSign[] = [...new Set([...news2.missing, ...gone.map(({ sign }) => sign)])];
  const risk = score !== null && score >= HIGH_FROM ? 'HIGH' : null;
  return { ...news2, parameters, score, missing, complete: false, risk };
}

/** What the known parameters prove at least: missing ones can only add points. Null when they prove nothing. */
export function riskFloor(news2: Pick<News2, 'score' | 'parameters'>): ClinicalRisk | null {
  if (news2.score === null) return null;
  if (news2.score >= HIGH_FROM) return 'HIGH';
  if (news2.score >= MEDIUM_FROM) return 'MEDIUM';
  return news2.parameters.some(({ points }) => points !== null && points >= RED) ? 'LOW_MEDIUM' : null;
}

export function displayNews2(news2: News2): News2Display {
  const { score, complete, missing, risk } = news2;
  const partial = !complete;
  const floor = riskFloor(news2);
  return {
    score: score === null ? '–' : `${score}${partial ? '+' : ''}`,
    missing: partial && missing.length > 0 ? `${missing.length} missing` : '',
    risk: riskWords(risk, floor),
    tone: risk ?? floor,
    partial,
  };
}

function riskWords(risk: ClinicalRisk | null, floor: ClinicalRisk | null): string {
  if (risk) return `${capital(RISK_WORDS[risk])} risk`;
  return floor ? `At least ${RISK_WORDS[floor]} risk` : 'Risk unknown';
}

/** One line for screen readers and tooltips, e.g. "NEWS2 5+, at least medium risk, 2 missing". */
export function news2Sentence(display: News2Display): string {
  const score = display.score === '–' ? 'NEWS2 not known' : `NEWS2 ${display.score}`;
  return [score, display.risk.toLowerCase(), display.missing].filter(Boolean).join(', ');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
