import { describe, expect, it } from 'vitest';
import { propertyRows, readObject, standing } from './property-rows';

const nothing = { desired: {}, desiredVersion: 0, confirmedVersion: 0, reported: {}, reportedVersion: 0 };

describe('properties of a device', () => {
  it('stand side by side in the order of their names', () => {
    const properties = {
      ...nothing,
      desired: { rate: 5, display: { dim: true } },
      reported: { rate: 4, firmware: '1.2' },
    };
    expect(propertyRows(properties)).toEqual([
      { name: 'display', desired: '{"dim":true}', reported: '' },
      { name: 'firmware', desired: '', reported: '1.2' },
      { name: 'rate', desired: '5', reported: '4' },
    ]);
  });

  it('say how far the device has come', () => {
    expect(standing(nothing)).toContain('said nothing of itself');
    expect(standing({ ...nothing, reportedVersion: 1 })).toBe('Nothing is asked of it.');
    expect(standing({ ...nothing, desiredVersion: 3, confirmedVersion: 2 })).toContain(
      'not confirmed version 3',
    );
    expect(standing({ ...nothing, desiredVersion: 3, confirmedVersion: 3 })).toContain('taken on version 3');
  });

  it('are written as a JSON object', () => {
    expect(readObject('{ "rate": null }')).toEqual({ rate: null });
    for (const text of ['', '{', '[1]', '5', 'null']) expect(readObject(text)).toEqual(expect.any(String));
  });
});
