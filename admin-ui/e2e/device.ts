import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { DemoDevice, Hospital } from './hospital';

const run = promisify(execFile);

/** Sends one message as a device, by a client that is not ours, and waits for the server's acknowledgement. */
export async function publish(hospital: Hospital, device: DemoDevice, payload: unknown): Promise<void> {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const { host, port } = hospital.mqtt;
  const login = ['-u', `${hospital.slug}/${device.id}`, '-P', device.token];
  const message = ['-t', 'telemetry', '-q', '1', '-m', text];
  await run('mosquitto_pub', ['-V', '5', '-h', host, '-p', port, ...login, ...message]).catch((error) => {
    if (error.code === 'ENOENT')
      throw new Error('mosquitto_pub is missing: apt-get install mosquitto-clients');
    throw error;
  });
}

/** A measurement with a time of its own, in seconds from `start`. */
export function measured(start: number, seconds: number, values: Record<string, unknown>) {
  return { ts: new Date(start + seconds * 1_000).toISOString(), values };
}
