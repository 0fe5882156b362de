import type { DeviceQuery } from '../../api/generated/graphql';

export type DeviceProperties = NonNullable<NonNullable<DeviceQuery['device']>['properties']>;

interface PropertyRow {
  name: string;
  desired: string;
  reported: string;
}

/** Every property that either side names, in the order of their names. */
export function propertyRows({ desired, reported }: DeviceProperties): PropertyRow[] {
  const [wanted, said] = [entries(desired), entries(reported)];
  const names = [...new Set([...wanted.keys(), ...said.keys()])].sort();
  return names.map((name) => ({ name, desired: shown(wanted.get(name)), reported: shown(said.get(name)) }));
}

/** How far the device has come with what is asked of it. */
export function standing({ desiredVersion, confirmedVersion, reportedVersion }: DeviceProperties): string {
  if (desiredVersion === 0) {
    return reportedVersion === 0
      ? 'Nothing is asked of it, and it has said nothing of itself.'
      : 'Nothing is asked of it.';
  }
  return confirmedVersion < desiredVersion
    ? `It has not confirmed version ${desiredVersion} of what is asked of it.`
    : `It has taken on version ${desiredVersion} of what is asked of it.`;
}

/** What somebody wrote as a JSON object, or why it is none. */
export function readObject(text: string): Record<string, unknown> | string {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : 'Write a JSON object: { "name": value }';
  } catch (error) {
    return `This is no JSON: ${error instanceof Error ? error.message : error}`;
  }
}

function entries(properties: unknown): Map<string, unknown> {
  return new Map(Object.entries((properties ?? {}) as Record<string, unknown>));
}

function shown(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
