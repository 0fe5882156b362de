import { act, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NOON, news2, vital } from '../../test/samples';
import { PatientName } from '../PatientName';
import { News2Badge } from './News2Badge';
import { VitalValue } from './VitalValue';

beforeEach(() => {
  vi.useFakeTimers({ now: NOON });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a value on the board', () => {
  it('turns stale by itself when nothing new comes, and tells its age from then on', () => {
    const { container } = render(
      <VitalValue vital={vital('HEART_RATE', { value: 72, staleAfterSeconds: 60 })} />,
    );
    expect(container.textContent).toBe('72/min');
    act(() => vi.advanceTimersByTime(61_000));
    expect(container.textContent).toBe('72stale, 1 min ago');
    act(() => vi.advanceTimersByTime(60_000));
    expect(container.textContent).toBe('72stale, 2 min ago');
    expect(container.querySelector('[data-stale]')).not.toBeNull();
  });

  it('is a dash when there is none, and says so to those who listen', () => {
    render(<VitalValue vital={undefined} />);
    expect(screen.getByText('no value')).toBeTruthy();
  });

  it('shows both pressures as one', () => {
    const systolic = vital('SYSTOLIC_PRESSURE', { value: 121, unit: 'mm[Hg]' });
    render(<VitalValue vital={systolic} second={vital('DIASTOLIC_PRESSURE', { value: 79 })} />);
    expect(screen.getByTitle(/121\/79 mmHg/)).toBeTruthy();
  });
});

describe('the NEWS2 badge', () => {
  it('says score, risk and what is missing in words', () => {
    const { container } = render(<News2Badge news2={news2({ HEART_RATE: 2, RESPIRATORY_RATE: 3 })} />);
    expect(container.textContent).toBe('5+At least medium risk(5 missing)');
    expect(container.querySelector('[data-partial]')).not.toBeNull();
  });
});

describe('a name', () => {
  it('is said to be hidden where it is masked', () => {
    render(<PatientName name={null} />);
    expect(screen.getByText('Name hidden')).toBeTruthy();
  });
});
