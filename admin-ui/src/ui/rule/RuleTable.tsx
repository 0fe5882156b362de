import { Link } from '@tanstack/react-router';
import type { RuleFieldsFragment } from '../../api/generated/graphql';
import { PriorityMark } from '../alarms/AlarmMark';
import page from '../page.module.css';
import { type Columns, columnsOf, DataTable } from '../table/DataTable';
import { clearWords, raiseWords } from './words';

const column = columnsOf<RuleFieldsFragment>();

const COLUMNS = [
  column.display({
    id: 'rule',
    header: 'Rule',
    cell: ({ row: { original } }) => (
      <Link to="/rules/$ruleId" params={{ ruleId: original.id }} className={page.link}>
        {original.name}
      </Link>
    ),
  }),
  column.display({
    id: 'path',
    header: 'Path',
    cell: ({ row: { original } }) => <code className={page.mono}>{original.path}</code>,
  }),
  column.display({
    id: 'raise',
    header: 'Raises when',
    cell: ({ row: { original } }) => raiseWords(original),
  }),
  column.display({
    id: 'clear',
    header: 'Clears when',
    cell: ({ row: { original } }) => clearWords(original),
  }),
  column.display({
    id: 'priority',
    header: 'Priority',
    cell: ({ row: { original } }) => <PriorityMark priority={original.priority} />,
  }),
  column.display({
    id: 'enabled',
    header: 'State',
    cell: ({ row: { original } }) =>
      original.enabled ? 'Enabled' : <span className={page.soft}>Switched off</span>,
  }),
] as Columns<RuleFieldsFragment>;

export function RuleTable({ rules }: { rules: readonly RuleFieldsFragment[] }) {
  return (
    <DataTable
      label="Rules"
      columns={COLUMNS}
      widths="minmax(12rem, 2fr) 10rem minmax(11rem, 1.3fr) minmax(11rem, 1.3fr) 7.5rem 8rem"
      minWidth="58rem"
      rows={rules}
      total={rules.length}
    />
  );
}
