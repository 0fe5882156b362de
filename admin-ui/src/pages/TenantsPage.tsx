import { useQuery } from 'urql';
import { TenantsDocument } from '../api/generated/graphql';
import { Empty } from '../ui/feedback/Empty';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { Loading } from '../ui/feedback/Loading';
import page from '../ui/page.module.css';
import { useRefetchOnReconnect } from '../ui/use-signed-in';
import { useTitle } from '../ui/use-title';

/** For operators, who run the installation and see no patient of any hospital. */
export function TenantsPage() {
  useTitle('Hospitals');
  const [{ data, error, fetching }, refetch] = useQuery({ query: TenantsDocument });
  useRefetchOnReconnect(refetch);
  const tenants = data?.tenants ?? [];
  return (
    <div className={page.page}>
      <div className={page.head}>
        <h1>Hospitals</h1>
        {data && <span className={page.note}>{tenants.length} in this installation</span>}
      </div>
      {error && <ErrorNotice error={error} retry={refetch} />}
      {!data && fetching && <Loading rows={3} label="Loading hospitals" />}
      {data && tenants.length === 0 && (
        <Empty title="No hospitals yet">
          This version cannot make one in an empty installation; <code>iomt demo</code> shows two.
        </Empty>
      )}
      {tenants.length > 0 && (
        <section className={page.panel} aria-label="Hospitals">
          <table className={page.plain}>
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Slug</th>
                <th scope="col">Id</th>
              </tr>
            </thead>
            <tbody>
              {tenants.map(({ id, name, slug }) => (
                <tr key={id}>
                  <td>
                    <strong>{name}</strong>
                  </td>
                  <td>
                    <code className={page.mono}>{slug}</code>
                  </td>
                  <td>
                    <code className={`${page.mono} ${page.soft}`}>{id}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </div>
  );
}
