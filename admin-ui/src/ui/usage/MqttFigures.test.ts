import { expect, test } from 'vitest';
import { allowedInWords, droppedInWords } from './MqttFigures';

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

test('what each client may take up is said', () => {
  const clients = {
    connections: 50_000,
    packetBytes: 266_240,
    receiveMaximum: 1024,
    inFlight: 64,
    queuedMessages: 1000,
    subscriptions: 16,
  };
  expect(allowedInWords(clients)).toBe(
    'At most, each client sends packets of 266 kB, and 1,024 messages before the first is acknowledged; is sent 64 before it acknowledges the first, with 1,000 more waiting; and has 16 subscriptions.',
  );
});
