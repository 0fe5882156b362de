import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { promisify } from 'node:util';
import type { DemoDevice, Hospital } from './hospital';

const run = promisify(execFile);

/** Sends one message as a device, by a client that is not ours, and waits for the server's acknowledgement. */
export async function publish(
  hospital: Hospital,
  device: DemoDevice,
  payload: unknown,
  topic = 'telemetry',
  beside: Record<string, string> = {},
): Promise<void> {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const { host, port } = hospital.mqtt;
  const login = ['-u', `${hospital.slug}/${device.id}`, '-P', device.token];
  const properties = Object.entries(beside).flatMap((pair) => ['-D', 'publish', 'user-property', ...pair]);
  const message = ['-t', topic, '-q', '1', '-m', text, ...properties];
  await run('mosquitto_pub', ['-V', '5', '-h', host, '-p', port, ...login, ...message]).catch((error) => {
    if (error.code === 'ENOENT')
      throw new Error('mosquitto_pub is missing: apt-get install mosquitto-clients');
    throw error;
  });
}

/** A session of a device, which ends only when the other side ends it; answered with a promise of that. */
export async function connect(hospital: Hospital, device: DemoDevice): Promise<{ ended: Promise<void> }> {
  const { socket, ended } = await open(hospital, device);
  socket.resume();
  return { ended };
}

/** The same of a device that does whatever it is told and says so. */
export async function obey(hospital: Hospital, device: DemoDevice): Promise<void> {
  const { socket } = await open(hospital, device);
  socket.write(Buffer.from([0x82, 15, 0, 1, ...field('commands/#'), 0]));
  const [suback] = (await once(socket, 'data')) as [Buffer];
  if (suback[4] !== 0) throw new Error(`refused: ${suback.toString('hex')}`);
  socket.on('data', (packet: Buffer) => {
    const length = packet.readUInt16BE(2);
    const [command, body] = [packet.subarray(4, 4 + length), packet.subarray(4 + length)];
    const result = [...field(`${command}/result`), ...Buffer.from(`{"status":200,"body":${body}}`)];
    socket.write(Buffer.from([0x30, result.length, ...result]));
  });
}

function field(text: string): number[] {
  return [0, text.length, ...Buffer.from(text)];
}

async function open(hospital: Hospital, device: DemoDevice) {
  const user = `${hospital.slug}/${device.id}`;
  const body = [...field('MQTT'), 4, 0xc2, 0, 0, ...field(device.id), ...field(user), ...field(device.token)];
  const socket = createConnection({ host: hospital.mqtt.host, port: Number(hospital.mqtt.port) });
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const length = body.length < 128 ? [body.length] : [(body.length & 0x7f) | 0x80, body.length >> 7];
  socket.write(Buffer.from([0x10, ...length, ...body]));
  const [connack] = (await once(socket, 'data')) as [Buffer];
  if (connack[3] !== 0) throw new Error(`refused: ${connack.toString('hex')}`);
  return { socket, ended };
}

/** A measurement with a time of its own, in seconds from `start`. */
export function measured(start: number, seconds: number, values: Record<string, unknown>) {
  return { ts: new Date(start + seconds * 1_000).toISOString(), values };
}
