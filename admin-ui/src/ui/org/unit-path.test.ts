import { describe, expect, it } from 'vitest';
import { depths, unitPath } from './unit-path';

const units = [
  { id: 'h', name: 'St. Elsewhere', parentId: null },
  { id: 'm', name: 'Medicine', parentId: 'h' },
  { id: 'w', name: '4 West', parentId: 'm' },
];

describe('a unit', () => {
  it('is named by the way to it', () => {
    expect(units.map(({ id }) => unitPath(units, id))).toEqual([
      'St. Elsewhere',
      'Medicine',
      'Medicine › 4 West',
    ]);
    expect(unitPath(units, 'gone')).toBe('');
  });

  it('stands as deep as the way to it is long', () => {
    expect([...depths(units).values()]).toEqual([0, 1, 2]);
  });
});
