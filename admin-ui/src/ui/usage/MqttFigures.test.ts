import { expect, test } from 'vitest';
import { droppedInWords } from './MqttFigures';

test('what was dropped is said with its reasons', () => {
  expect(droppedInWords([])).toBe('No message was dropped since the server started.');
  const drops = [
    { reason: 'queue_full', messages: 1200 },
    { reason: 'new_reason', messages: 1 },
  ];
  expect(droppedInWords(drops)).toBe(
    'Dropped since the server started: 1,200 for a client that had too many waiting; 1 new_reason.',
  );
});
