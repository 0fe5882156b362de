import { act, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';
import { renderIn, signedInWith } from '../../test/render';
import { alarm, at } from '../../test/samples';
import { AlarmNotices } from './AlarmNotices';

function arrivals(permissions: string[], answers?: Parameters<typeof signedInWith>[0]['answers']) {
  const signedIn = signedInWith({ permissions, ...(answers ? { answers } : {}) });
  signedIn.alarms.reconcile([], signedIn.alarms.get());
  renderIn(signedIn, <AlarmNotices />);
  return signedIn;
}

describe('notices of new alarms', () => {
  it('announces a new high alarm without taking the focus', () => {
    const { alarms } = arrivals([]);
    const region = screen.getByRole('region', { name: 'New alarms' });
    expect(region.getAttribute('aria-live')).toBe('assertive');
    expect(within(region).queryByRole('article')).toBeNull();
    act(() => alarms.merge([alarm('a')]));
    expect(within(region).getByText('Low oxygen saturation')).toBeTruthy();
    expect(document.activeElement).toBe(document.body);
    expect(screen.queryByRole('button', { name: /^Acknowledge/ })).toBeNull();
  });

  it('is acknowledged in place, with the note', async () => {
    const asked = vi.fn();
    const { alarms } = arrivals(['alarm:acknowledge'], (name, variables) => {
      asked(name, variables);
      return {
        data: {
          acknowledgeAlarm: alarm('a', {
            state: 'ACKNOWLEDGED',
            acknowledgedAt: at(3),
            acknowledgedBy: 'Nora',
          }),
        },
      };
    });
    act(() => alarms.merge([alarm('a')]));
    const user = userEvent.setup();
    await user.click(screen.getByRole('button', { name: 'Acknowledge Low oxygen saturation' }));
    await user.type(await screen.findByLabelText('Note (optional)'), 'probe refitted');
    await user.click(screen.getByRole('button', { name: 'Acknowledge alarm' }));
    await waitFor(() => expect(screen.queryByRole('article')).toBeNull());
    expect(asked).toHaveBeenCalledWith('AcknowledgeAlarm', {
      input: { id: 'a', note: 'probe refitted' },
      withDevice: false,
    });
    expect(alarms.get().open[0]?.acknowledgedBy).toBe('Nora');
  });

  it('stays and says why when acknowledging is refused', async () => {
    const { alarms } = arrivals(['alarm:acknowledge'], () => ({
      errors: [{ message: 'no', extensions: { code: 'FORBIDDEN' } }],
    }));
    act(() => alarms.merge([alarm('a')]));
    const user = userEvent.setup();
    await user.click(screen.getByRole('button', { name: 'Acknowledge Low oxygen saturation' }));
    await user.click(await screen.findByRole('button', { name: 'Acknowledge alarm' }));
    expect((await screen.findByRole('alert')).textContent).toContain('Your role does not permit this.');
    expect(alarms.get().notices.length).toBe(1);
  });

  it('shows three and counts the rest', () => {
    const { alarms } = arrivals([]);
    act(() => alarms.merge(['a', 'b', 'c', 'd', 'e'].map((id) => alarm(id))));
    expect(screen.getAllByRole('article').length).toBe(3);
    expect(screen.getByText('2 more new alarms')).toBeTruthy();
  });
});
