import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';
import { type Answers, renderIn, signedInWith } from '../test/render';
import { rule } from '../test/samples';
import { RuleForm } from './RuleForm';

function open(answers: Answers) {
  const asked = vi.fn(answers);
  const onSaved = vi.fn();
  renderIn(
    signedInWith({ permissions: ['rule:write'], answers: asked }),
    <RuleForm rule={rule()} paths={['spo2']} onSaved={onSaved} onCancel={() => {}} />,
  );
  return { asked, onSaved, user: userEvent.setup() };
}

async function setBound(user: ReturnType<typeof userEvent.setup>, value: string) {
  const [raise] = screen.getAllByLabelText(/Bound/);
  if (!raise) throw new Error('no field');
  await user.clear(raise);
  await user.type(raise, value);
}

describe('the rule form', () => {
  it('saves what was edited with the version it was read at, and shows it as a sentence before', async () => {
    const { asked, onSaved, user } = open(() => ({
      data: { saveRule: rule({ raiseValue: 88, version: 4 }) },
    }));
    await setBound(user, '88');
    expect(screen.getByText(/is below 88 % for 10 s/)).toBeTruthy();
    await user.click(screen.getByRole('button', { name: 'Save rule' }));
    await waitFor(() => expect(onSaved).toHaveBeenCalled());
    expect(asked).toHaveBeenCalledWith('SaveRule', { input: { ...rule(), raiseValue: 88 } });
  });

  it('does not send conditions that clash', async () => {
    const { asked, user } = open(() => ({}));
    await setBound(user, '95');
    await user.click(screen.getByRole('button', { name: 'Save rule' }));
    expect(await screen.findByText(/would both raise and clear/)).toBeTruthy();
    expect(asked).not.toHaveBeenCalled();
  });

  it.each([
    ['CONFLICT', 'Not saved'],
    ['BAD_INPUT', 'the unit is not known'],
  ])('says what the server holds against it: %s', async (code, words) => {
    const { onSaved, user } = open(() => ({
      errors: [{ message: 'the unit is not known', extensions: { code } }],
    }));
    await user.click(screen.getByRole('button', { name: 'Save rule' }));
    expect((await screen.findByRole('alert')).textContent).toContain(words);
    expect(onSaved).not.toHaveBeenCalled();
  });
});
