import type { PreviewRoleQuery } from '../../api/generated/graphql';
import page from '../page.module.css';

type Preview = PreviewRoleQuery['previewRole'];
type Extent = Preview['changes'][number]['before'];

/** Whose access a change of a role would change; nothing is changed yet. */
export function RolePreview({ preview: { people, changes } }: { preview: Preview }) {
  if (people === 0) return <p role="status">This would change nobody’s access.</p>;
  const told = new Set(changes.map(({ user }) => user.id)).size;
  return (
    <section role="status" aria-label="What this would change">
      <p>
        This would change the access of {people === 1 ? 'one person' : `${people} people`}
        {told < people && `; here are the first ${told}`}:
      </p>
      <table className={page.plain}>
        <thead>
          <tr>
            <th scope="col">Who</th>
            <th scope="col">May</th>
            <th scope="col">Today</th>
            <th scope="col">Then</th>
          </tr>
        </thead>
        <tbody>
          {changes.map(({ user, permission, before, after }) => (
            <tr key={`${user.id} ${permission}`}>
              <td>{user.displayName}</td>
              <td>
                <code>{permission}</code>
              </td>
              <td>{extentInWords(before)}</td>
              <td>{extentInWords(after)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** "12 rows, without patient.name", "no", "yes". */
export function extentInWords(extent: Extent): string {
  if (!extent) return 'no';
  const rows = extent.rows === null ? 'yes' : extent.rows === 1 ? '1 row' : `${extent.rows} rows`;
  return extent.hiddenColumns.length > 0 ? `${rows}, without ${extent.hiddenColumns.join(', ')}` : rows;
}
