import type { News2 } from '../../api/feed/vitals';
import { displayNews2, news2Sentence } from './news2';
import classes from './news2-badge.module.css';

/** Score and risk in words; the colour only repeats them. A partial score has a dashed edge and a plus. */
export function News2Badge({ news2, large = false }: { news2: News2; large?: boolean }) {
  const display = displayNews2(news2);
  return (
    <span
      className={classes.badge}
      data-tone={display.tone ?? 'NONE'}
      data-partial={display.partial || undefined}
      data-large={large || undefined}
      title={news2Sentence(display)}
    >
      <span className={classes.score}>{display.score}</span>
      <span className={classes.words}>
        <span className={classes.risk}>{display.risk}</span>
        {display.missing && <span className={classes.missing}>({display.missing})</span>}
      </span>
    </span>
  );
}
