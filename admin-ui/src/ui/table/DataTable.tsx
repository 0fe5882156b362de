import {
  type ColumnDef,
  createColumnHelper,
  type RowData,
  tableFeatures,
  useTable,
} from '@tanstack/react-table';
import type { CSSProperties } from 'react';
import type { Scrolling } from './paged-list';
import classes from './table.module.css';
import { VirtualRows } from './VirtualRows';

/** Order, search and pages are the server's; the table only models columns and rows. */
const features = tableFeatures({});

export type Columns<T extends RowData> = ColumnDef<typeof features, T, unknown>[];

export function columnsOf<T extends RowData>() {
  return createColumnHelper<typeof features, T>();
}

export interface DataTableProps<T extends RowData & { id: string }> {
  label: string;
  columns: Columns<T>;
  /** CSS grid tracks, one for each column. */
  widths: string;
  /** Below this width the table scrolls sideways instead of squeezing its columns. */
  minWidth?: string;
  rows: readonly T[];
  total: number;
  rowHeight?: number;
  /** The list behind the rows, when it is loaded in pages. */
  list?: Scrolling;
}

export function DataTable<T extends RowData & { id: string }>(props: DataTableProps<T>) {
  const { label, columns, widths, minWidth = '46rem', rows, total, rowHeight = 48, list } = props;
  const table = useTable({ features, columns, data: rows, getRowId: ({ id }) => id });
  const model = table.getRowModel().rows;
  const style = { '--columns': widths, '--table-min-width': minWidth } as CSSProperties;
  return (
    <div style={style} className={classes.frame}>
      <VirtualRows
        label={label}
        count={model.length}
        total={total}
        rowHeight={rowHeight}
        keyOf={(index) => model[index]?.id ?? String(index)}
        {...(list ? { list } : {})}
        header={table.getHeaderGroups().flatMap(({ headers }) =>
          headers.map((header) => (
            <div key={header.id} role="columnheader" className={classes.heading}>
              <table.FlexRender header={header} />
            </div>
          )),
        )}
        renderRow={(index) =>
          model[index]?.getAllCells().map((cell) => (
            <div key={cell.id} role="cell" className={classes.cell}>
              <table.FlexRender cell={cell} />
            </div>
          ))
        }
      />
      <p className={classes.more} role="status">
        {rows.length < total ? `${rows.length} of ${total} loaded; scroll for more.` : `${total} in all.`}
      </p>
    </div>
  );
}
