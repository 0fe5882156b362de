import { describe, expect, it } from 'vitest';
import {
  advance,
  type Connection,
  type ConnectionEvent,
  GIVE_UP_AFTER_MS,
  initialConnection,
  isGivenUp,
  STALE_AFTER_MS,
} from './connection';

type Step = [type: ConnectionEvent['type'], at: number];

function run(...steps: Step[]): Connection {
  return steps.reduce((state, [type, at]) => advance(state, { type, at }), initialConnection(0));
}

describe('connection', () => {
  const S = STALE_AFTER_MS;
  it.each<[string, Step[], Connection['phase'], number]>([
    ['begins by connecting', [], 'connecting', 0],
    [
      'stays so while the first try fails',
      [
        ['closed', 10],
        ['closed', 20],
      ],
      'connecting',
      0,
    ],
    ['is live once opened', [['opened', 10]], 'live', 10],
    [
      'is still live just before the silence is long',
      [
        ['opened', 10],
        ['tick', 9 + S],
      ],
      'live',
      10,
    ],
    [
      'turns stale after a long silence',
      [
        ['opened', 10],
        ['tick', 10 + S],
      ],
      'stale',
      10 + S,
    ],
    [
      'is kept live by whatever is heard',
      [
        ['opened', 10],
        ['heard', 5_000],
        ['tick', 10 + S],
      ],
      'live',
      10,
    ],
    [
      'is live again when stale and heard',
      [
        ['opened', 0],
        ['tick', S],
        ['heard', S + 5],
      ],
      'live',
      S + 5,
    ],
    [
      'reconnects when closed',
      [
        ['opened', 0],
        ['closed', 7],
      ],
      'reconnecting',
      7,
    ],
    [
      'counts the time offline from the first close',
      [
        ['opened', 0],
        ['closed', 7],
        ['closed', 9],
      ],
      'reconnecting',
      7,
    ],
    [
      'reconnects from stale too',
      [
        ['opened', 0],
        ['tick', S],
        ['closed', S + 1],
      ],
      'reconnecting',
      S + 1,
    ],
    [
      'never calls a closed line stale',
      [
        ['opened', 0],
        ['closed', 7],
        ['tick', 10 * S],
      ],
      'reconnecting',
      7,
    ],
  ])('%s', (_, steps, phase, since) => {
    expect(run(...steps)).toMatchObject({ phase, since });
  });

  it('counts every return, but not the first opening', () => {
    expect(run(['opened', 1]).generation).toBe(0);
    expect(run(['opened', 1], ['closed', 2], ['opened', 3]).generation).toBe(1);
    expect(run(['opened', 1], ['closed', 2], ['opened', 3], ['closed', 4], ['opened', 5]).generation).toBe(2);
  });

  it('gives a silent line up, and only a silent one', () => {
    const stale = run(['opened', 0], ['tick', S]);
    expect(isGivenUp(stale, GIVE_UP_AFTER_MS - 1)).toBe(false);
    expect(isGivenUp(stale, GIVE_UP_AFTER_MS)).toBe(true);
    expect(isGivenUp(run(['opened', 0], ['closed', 1]), GIVE_UP_AFTER_MS)).toBe(false);
  });

  it('is the same object when nothing changed, so that nothing is drawn again', () => {
    const live = run(['opened', 0]);
    expect(advance(live, { type: 'tick', at: 1 })).toBe(live);
  });
});
