import type { Vital } from '../../api/feed/vitals';
import type { VitalSign } from '../../api/generated/graphql';

/** UCUM codes as they are written on a monitor. */
const UNITS: Record<string, string> = {
  'mm[Hg]': 'mmHg',
  Cel: '°C',
  '[degF]': '°F',
  '/min': '/min',
  '{beats}/min': '/min',
  '{breaths}/min': '/min',
};

export function formatUnit(ucum: string | null | undefined): string {
  return ucum ? (UNITS[ucum] ?? ucum) : '';
}

const CONSCIOUSNESS: Record<string, string> = {
  A: 'Alert',
  C: 'New confusion',
  V: 'Responds to voice',
  P: 'Responds to pain',
  U: 'Unresponsive',
};

const ON_OXYGEN = new Set(['true', 'yes', '1', 'on', 'oxygen']);

export const SHORT_LABELS: Record<VitalSign, string> = {
  HEART_RATE: 'HR',
  OXYGEN_SATURATION: 'SpO₂',
  RESPIRATORY_RATE: 'Resp',
  SYSTOLIC_PRESSURE: 'Systolic',
  DIASTOLIC_PRESSURE: 'Diastolic',
  TEMPERATURE: 'Temp',
  SUPPLEMENTAL_OXYGEN: 'O₂',
  CONSCIOUSNESS: 'ACVPU',
};

type Measured = Pick<Vital, 'sign' | 'value' | 'code'>;

/** The value alone, without its unit. */
export function formatVital({ sign, value, code }: Measured): string {
  if (sign === 'SUPPLEMENTAL_OXYGEN') {
    const given = code ?? (value === null ? null : String(value));
    if (given === null) return '–';
    return ON_OXYGEN.has(given.toLowerCase()) ? 'Oxygen' : 'Air';
  }
  if (code !== null) return sign === 'CONSCIOUSNESS' ? (CONSCIOUSNESS[code] ?? code) : code;
  return value === null ? '–' : formatNumber(value, sign === 'TEMPERATURE' ? 1 : 0);
}

/** Made once each: making one costs more than drawing the cell that it is for. */
const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const oneDecimal = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const asGiven = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });

/** Rounded for reading; a number that would be rounded to nothing keeps its digits. */
export function formatNumber(value: number, digits: 0 | 1 = 1): string {
  if (value !== 0 && Math.abs(value) < 0.1) return value.toPrecision(2);
  return (digits === 0 ? whole : oneDecimal).format(value);
}

/** A number as it was given, with at most two decimals: for bounds and alarm values. */
export function formatExact(value: number): string {
  return asGiven.format(value);
}
