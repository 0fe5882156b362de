import type { PreviewRoleQuery } from '../../api/generated/graphql';
import page from '../page.module.css';

type Preview = PreviewRoleQuery['previewRole'];
type Extent = Preview['changes'][number]['before'];

/** Whose access a change of a role would change; nothing is changed yet. */
export function RolePreview({ preview: { people, clients, changes } }: { preview: Preview }) {
  if (people + clients === 0) return <p role="status">This would change nobody’s access.</p>;
  const told = new Set(changes.map((change) => holderOf(change).id)).size;
  return (
    <section role="status" aria-label="What this would change">
      <p>
        This would change the access of {holdersInWords(people, clients)}
        {told < people + clients && `; here are the first ${told}`}:
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
          {changes.map((change) => {
            const { id, name } = holderOf(change);
            return (
              <tr key={`${id} ${change.permission}`}>
                <td>{name}</td>
                <td>
                  <code>{change.permission}</code>
                </td>
                <td>{extentInWords(change.before)}</td>
                <td>{extentInWords(change.after)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

function holderOf({ user, client }: Preview['changes'][number]): { id: string; name: string } {
  if (client) return { id: client.id, name: `${client.name} (service client)` };
  return { id: user?.id ?? '', name: user?.displayName ?? 'somebody who is gone' };
}

/** "one person", "3 people and one service client". */
export function holdersInWords(people: number, clients: number): string {
  const counted = (count: number, one: string, many: string) => (count === 1 ? one : `${count} ${many}`);
  const parts = [
    people > 0 && counted(people, 'one person', 'people'),
    clients > 0 && counted(clients, 'one service client', 'service clients'),
  ];
  return parts.filter(Boolean).join(' and ');
}

/** "12 rows, without patient.name", "no", "yes". */
export function extentInWords(extent: Extent): string {
  if (!extent) return 'no';
  const rows = extent.rows === null ? 'yes' : extent.rows === 1 ? '1 row' : `${extent.rows} rows`;
  return extent.hiddenColumns.length > 0 ? `${rows}, without ${extent.hiddenColumns.join(', ')}` : rows;
}
