import { describe, expect, it } from 'vitest';
import { depths, inOrder, unitPaths } from './unit-path';

const units = [
  { id: 'h', name: 'St. Elsewhere', parentId: null },
  { id: 'm', name: 'Medicine', parentId: 'h' },
  { id: 'w', name: '4 West', parentId: 'm' },
];

describe('a unit', () => {
  it('is named by the way to it', () => {
    expect([...unitPaths(units).values()]).toEqual(['St. Elsewhere', 'Medicine', 'Medicine › 4 West']);
    expect(unitPaths(units.slice(2)).get('w')).toBe('4 West');
  });

  it('stands as deep as the way to it is long', () => {
    expect([...depths(units).values()]).toEqual([0, 1, 2]);
  });

  it('stands behind what it belongs to, among others as people count', () => {
    const wards = ['Ward 10', 'Ward 2', 'ward 1'].map((name) => ({ id: name, name, parentId: 'm' }));
    const stray = { id: 's', name: 'Annex', parentId: 'not shown' };
    expect(inOrder([...wards, stray, ...units.toReversed()]).map(({ name }) => name)).toEqual([
      'Annex',
      'St. Elsewhere',
      'Medicine',
      '4 West',
      'ward 1',
      'Ward 2',
      'Ward 10',
    ]);
  });
});
