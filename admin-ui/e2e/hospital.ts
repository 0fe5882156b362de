import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export type Persona = 'admin' | 'clinician' | 'nurse' | 'researcher' | 'integrator';

export interface Person {
  email: string;
  password: string;
  token: string;
}

export interface DemoDevice {
  id: string;
  token: string;
  patient: string;
}

interface Credentials {
  http: string;
  graphql: string;
  graphql_ws: string;
  mqtt: string;
  operator: Person;
  tenants: { slug: string; users: (Person & { persona: Persona })[]; devices: DemoDevice[] }[];
}

/** The server with its demo hospital, on free ports and a folder of its own. */
export interface Hospital {
  http: string;
  graphql: string;
  graphqlWs: string;
  mqtt: { host: string; port: string };
  slug: string;
  operator: Person;
  person(persona: Persona): Person;
  /** Counted from 0; each journey takes devices of its own. */
  device(index: number): DemoDevice;
  /** Runs a command beside the server, on the same database, and returns what it prints. */
  iomt(...args: string[]): string;
  stop(): Promise<void>;
}

const START_MS = 60_000;

/** `kept`: a folder that outlives the server, so that another one can go on with it. */
export async function startHospital(kept?: string): Promise<Hospital> {
  const binary = resolve(process.env.IOMT_BIN ?? join(import.meta.dirname, '../../target/debug/iomt'));
  if (!existsSync(binary)) throw new Error(`${binary} does not exist: build the server, or set IOMT_BIN.`);
  const data = kept ?? mkdtempSync(join(tmpdir(), 'iomt-journeys-'));
  const ports = ['--http', '0', '--mqtt', '0', '--mqtts', '0'];
  const server = spawn(binary, ['demo', '--data', data, ...ports, '--no-simulator', '--patients', '6'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [server.stdout, server.stderr]) {
    stream.on('data', (text) => {
      output = (output + text).slice(-8_000);
    });
  }

  const stop = async () => {
    await stopped(server);
    if (!kept) rmSync(data, { recursive: true, force: true });
  };
  try {
    const credentials = await ready(join(data, 'credentials.json'), server);
    const env = { ...process.env, IOMT_DATABASE_URL: `sqlite://${join(data, 'iomt.db')}` };
    const iomt = (...args: string[]) => execFileSync(binary, args, { env, encoding: 'utf8' });
    return hospitalOf(credentials, { iomt, stop });
  } catch (error) {
    await stop();
    throw new Error(`the server did not start: ${String(error)}\n${output}`);
  }
}

function hospitalOf(credentials: Credentials, { iomt, stop }: Pick<Hospital, 'iomt' | 'stop'>): Hospital {
  const [tenant] = credentials.tenants;
  if (!tenant) throw new Error('the demo has no hospital');
  const { hostname, port } = new URL(credentials.mqtt);
  return {
    http: credentials.http,
    graphql: credentials.graphql,
    graphqlWs: credentials.graphql_ws,
    mqtt: { host: hostname, port },
    slug: tenant.slug,
    operator: credentials.operator,
    person: (persona) =>
      found(
        tenant.users.find((user) => user.persona === persona),
        persona,
      ),
    device: (index) => found(tenant.devices[index], `device ${index}`),
    iomt,
    stop,
  };
}

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the demo has no ${what}`);
  return value;
}

/**
 * Waits until the file is there and names a server that is ready. The file of an earlier start on the same folder
 * may still lie there, with ports on which nobody listens any more.
 */
async function ready(file: string, server: ChildProcess): Promise<Credentials> {
  const until = Date.now() + START_MS;
  while (Date.now() < until) {
    if (server.exitCode !== null) throw new Error(`it ended with ${server.exitCode}`);
    const credentials: Credentials | null = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
    const answer = credentials && (await fetch(`${credentials.http}/readyz`).catch(() => null));
    if (credentials && answer?.ok) return credentials;
    await new Promise((again) => setTimeout(again, 100));
  }
  throw new Error(`it was not ready within ${START_MS / 1_000} s`);
}

/** Ends as an operator would end it: the server has to finish its work and exit by itself. */
export async function stopped(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, 'exit');
  server.kill('SIGTERM');
  const forced = setTimeout(() => server.kill('SIGKILL'), 20_000);
  await ended;
  clearTimeout(forced);
}
