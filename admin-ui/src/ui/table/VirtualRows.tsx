import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useEffect, useEffectEvent, useRef } from 'react';
import type { Scrolling } from './paged-list';
import classes from './table.module.css';

export interface VirtualRowsProps {
  label: string;
  count: number;
  /** All rows there are, also those that are not loaded yet. */
  total: number;
  rowHeight: number;
  keyOf: (index: number) => string;
  header: ReactNode;
  /** The cells of a row; the row element itself is made here. */
  renderRow: (index: number) => ReactNode;
  rowClass?: (index: number) => string | undefined;
  /** Told which rows are in sight, and when the end is near. */
  list?: Scrolling;
}

/** So many rows before the end the next page is asked for. */
const AHEAD = 30;

/** A table of any length of which only the rows in sight are in the document. */
export function VirtualRows(props: VirtualRowsProps) {
  const { label, count, total, rowHeight, keyOf, header, renderRow, rowClass, list } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: keyOf,
    overscan: 8,
    initialRect: { width: 1200, height: 800 },
  });
  const items = rows.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? -1;

  const tellVisible = useEffectEvent(() => list?.show({ first, last }));
  const tellEnd = useEffectEvent(() => list?.loadMore());
  // biome-ignore lint/correctness/useExhaustiveDependencies: the rows in sight are what is told.
  useEffect(() => tellVisible(), [first, last, count]);
  useEffect(() => {
    if (count > 0 && last >= count - AHEAD) tellEnd();
  }, [last, count]);

  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard.
    <section ref={scroller} className={classes.scroller} aria-label={label} tabIndex={0}>
      <div role="table" aria-label={label} aria-rowcount={total + 1} className={classes.table}>
        <div role="rowgroup" className={classes.head}>
          <div role="row" aria-rowindex={1} className={classes.row}>
            {header}
          </div>
        </div>
        <div role="rowgroup" className={classes.body} style={{ height: rows.getTotalSize() }}>
          {items.map((item) => (
            <div
              key={item.key}
              role="row"
              aria-rowindex={item.index + 2}
              data-index={item.index}
              ref={rows.measureElement}
              className={`${classes.row} ${classes.virtual} ${rowClass?.(item.index) ?? ''}`}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              {renderRow(item.index)}
            </div>
          ))}
        </div>
      </div>
    </section>
  );
}
