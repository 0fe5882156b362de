import { Select, type SelectProps } from '@mantine/core';
import { useMemo } from 'react';
import { inOrder, type Unit, unitPaths } from './unit-path';

/** More than these are found by typing. */
const SHOWN = 200;

interface UnitSelectProps extends Omit<SelectProps, 'data'> {
  units: readonly Unit[];
}

/** Chooses a unit by the way to it. */
export function UnitSelect({ units, ...select }: UnitSelectProps) {
  const data = useMemo(() => {
    const paths = unitPaths(inOrder(units));
    return [...paths].map(([value, label]) => ({ value, label }));
  }, [units]);
  return <Select data={data} limit={SHOWN} searchable nothingFoundMessage="No such unit" {...select} />;
}
