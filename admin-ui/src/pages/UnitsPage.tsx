import { Button, Group } from '@mantine/core';
import { useMemo, useState } from 'react';
import { useMutation, useQuery } from 'urql';
import { OrgUnitsDocument, RemoveOrgUnitDocument, type UnitFieldsFragment } from '../api/generated/graphql';
import { UnitForm } from '../forms/UnitForm';
import { Empty } from '../ui/feedback/Empty';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { Loading } from '../ui/feedback/Loading';
import { depths, inOrder, unitPaths } from '../ui/org/unit-path';
import page from '../ui/page.module.css';
import { SearchBox } from '../ui/SearchBox';
import { useRefetchOnReconnect, useSignedIn } from '../ui/use-signed-in';
import { useTitle } from '../ui/use-title';

const KIND = { HOSPITAL: 'hospital', DEPARTMENT: 'department', WARD: 'ward' } as const;

/** The departments and wards of the hospital. */
export function UnitsPage() {
  useTitle('Units');
  const { may } = useSignedIn();
  const [{ data, error, fetching }, refetch] = useQuery({ query: OrgUnitsDocument });
  useRefetchOnReconnect(refetch);
  const [edited, setEdited] = useState<UnitFieldsFragment | 'new' | null>(null);
  const [removal, remove] = useMutation(RemoveOrgUnitDocument);
  const [search, setSearch] = useState('');
  const units = useMemo(() => inOrder(data?.orgUnits ?? []), [data]);
  const depth = useMemo(() => depths(units), [units]);
  const paths = useMemo(() => unitPaths(units), [units]);
  const wanted = search.toLocaleLowerCase();
  const shown = units.filter(({ name }) => name.toLocaleLowerCase().includes(wanted));
  const reload = () => refetch({ requestPolicy: 'network-only' });

  return (
    <div className={page.page}>
      <div className={page.head}>
        <h1>Units</h1>
        {data && <span className={page.note}>{units.length} in the hospital</span>}
        <span className={page.spacer} />
        <SearchBox label="Search units" onSearch={setSearch} />
        {may('org_unit:write') && <Button onClick={() => setEdited('new')}>New unit</Button>}
      </div>
      {edited && (
        <section className={page.panel} aria-label={edited === 'new' ? 'New unit' : 'Edit unit'}>
          <UnitForm
            key={edited === 'new' ? 'new' : edited.id}
            unit={edited === 'new' ? null : edited}
            units={units}
            onDone={(saved) => {
              setEdited(null);
              if (saved) reload();
            }}
          />
        </section>
      )}
      {(error || removal.error) && <ErrorNotice error={error ?? removal.error} retry={reload} />}
      {!data && fetching && <Loading rows={5} label="Loading units" />}
      {units.length > 0 && shown.length === 0 && <Empty title={`No unit is called “${search}”`} />}
      {shown.length > 0 && (
        <section className={page.panel} aria-label="Units of the hospital">
          <table className={page.plain}>
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Kind</th>
                {may('org_unit:write') && <th scope="col">Change</th>}
              </tr>
            </thead>
            <tbody>
              {shown.map((unit) => (
                <tr key={unit.id}>
                  {search === '' ? (
                    <td style={{ paddingInlineStart: `${(depth.get(unit.id) ?? 0) * 1.5}rem` }}>
                      <strong>{unit.name}</strong>
                    </td>
                  ) : (
                    <td>
                      <strong>{paths.get(unit.id)}</strong>
                    </td>
                  )}
                  <td>{KIND[unit.kind]}</td>
                  {may('org_unit:write') && (
                    <td>
                      <Group gap="xs">
                        <Button
                          size="compact-xs"
                          variant="default"
                          aria-label={`Edit ${unit.name}`}
                          onClick={() => setEdited(unit)}
                        >
                          Edit
                        </Button>
                        {unit.parentId !== null && (
                          <Button
                            size="compact-xs"
                            variant="subtle"
                            aria-label={`Remove ${unit.name}`}
                            loading={removal.fetching}
                            onClick={async () => {
                              const { data: removed } = await remove({ id: unit.id });
                              if (removed) reload();
                            }}
                          >
                            Remove
                          </Button>
                        )}
                      </Group>
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </div>
  );
}
