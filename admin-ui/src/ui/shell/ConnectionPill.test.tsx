import { act } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { advance, STALE_AFTER_MS } from '../../api/connection';
import { renderIn, signedInWith } from '../../test/render';
import { NOON } from '../../test/samples';
import { ConnectionPill } from './ConnectionPill';

beforeEach(() => {
  vi.useFakeTimers({ now: NOON });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the connection pill', () => {
  it('goes from live over stale to reconnecting and back, telling for how long', () => {
    const signedIn = signedInWith({});
    const { connection } = signedIn;
    const tell = (type: 'opened' | 'tick' | 'closed') =>
      act(() => connection.set(advance(connection.get(), { type, at: Date.now() })));
    const { container } = renderIn(signedIn, <ConnectionPill />);
    const text = () => container.querySelector('[data-phase]')?.textContent;

    expect(text()).toMatch(/^Connecting/);
    tell('opened');
    expect(text()).toBe('LiveConnection: Live');
    act(() => vi.advanceTimersByTime(STALE_AFTER_MS));
    tell('tick');
    expect(text()).toBe('Stale, nothing heard for 20 sConnection: Stale');
    tell('closed');
    act(() => vi.advanceTimersByTime(5_000));
    expect(text()).toBe('Reconnecting, offline for 5 sConnection: Reconnecting');
    tell('opened');
    expect(text()).toBe('LiveConnection: Live');
  });
});
