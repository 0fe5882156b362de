import { Fragment } from 'react';
import type { EffectiveAccessQuery } from '../../api/generated/graphql';
import page from '../page.module.css';
import { heldRole } from './held-role';

type Explained = EffectiveAccessQuery['effectiveAccess'];
type Action = Explained['actions'][number];

/** What somebody may do with one row, and the policy behind each answer. */
export function AccessExplained({
  who,
  explained: { roles, actions },
}: {
  who: string;
  explained: Explained;
}) {
  return (
    <section className={page.panel} aria-label="Explanation">
      <p>
        {roles.length > 0
          ? `${who} holds ${roles.map(heldRole).join(' and ')}.`
          : `${who} holds no role at all.`}
      </p>
      {actions.map((action) => (
        <Fragment key={action.action}>
          <h2>
            {action.allowed ? 'May' : 'May not'} {action.action} it
            {action.hiddenColumns.length > 0 && `, without ${action.hiddenColumns.join(', ')}`}
          </h2>
          <Reasons action={action} />
        </Fragment>
      ))}
    </section>
  );
}

function Reasons({ action: { reasons } }: { action: Action }) {
  if (reasons.length === 0) return <p className={page.soft}>None of the roles has a policy for it.</p>;
  return (
    <ul>
      {reasons.map(({ role, rows, covers, hiddenColumns }) => (
        <li key={`${role.role} ${role.unit.id} ${rows}`}>
          As {heldRole(role)}: {covers ? 'covered by' : 'not covered by'} <code>{rows}</code>
          {hiddenColumns.length > 0 && `, hides ${hiddenColumns.join(', ')}`}
        </li>
      ))}
    </ul>
  );
}
