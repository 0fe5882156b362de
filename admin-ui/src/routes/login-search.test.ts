import { describe, expect, it } from 'vitest';
import { loginSearch } from './login-search';

describe('what the sign-in page is opened with', () => {
  it.each([
    [
      { next: '/devices', hospital: 'st-elsewhere' },
      { next: '/devices', hospital: 'st-elsewhere' },
    ],
    [
      { hospital: '', problem: 'over' },
      { hospital: '', problem: 'over' },
    ],
    [{ next: '//evil.example' }, {}],
    [{ next: '/\\evil.example' }, {}],
    [{ next: 'https://evil.example' }, {}],
    [{ next: 7, hospital: null }, {}],
  ])('%j', (given, expected) => {
    expect(loginSearch(given)).toEqual(expected);
  });
});
