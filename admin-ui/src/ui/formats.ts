import { signedIn } from '../api/signed-in';

/** How times and numbers are written where the hospital is. */
interface Formats {
  full: Intl.DateTimeFormat;
  day: Intl.DateTimeFormat;
  /** With seconds. */
  time: Intl.DateTimeFormat;
  /** Of an axis. */
  clock: Intl.DateTimeFormat;
  /** Of how many there are. */
  count: Intl.NumberFormat;
}

interface Place {
  locale: string | null;
  timeZone: string | null;
}

let made: { place: Place | null; formats: Formats } | null = null;

/** Of the hospital of whoever is signed in; of the browser for operators, who belong to none. */
export function formats(): Formats {
  const place = signedIn.get()?.viewer.tenant ?? null;
  if (made?.place !== place) made = null;
  made ??= { place, formats: make(place) };
  return made.formats;
}

/** Somebody who looks from another time zone is told whose time it is. */
export function make(place: Place | null): Formats {
  const here = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  const locale = place?.locale ?? undefined;
  const zone = { timeZone: place?.timeZone ?? here };
  const elsewhere = zone.timeZone !== here;
  const full: Intl.DateTimeFormatOptions = { dateStyle: 'medium', timeStyle: elsewhere ? 'long' : 'medium' };
  return {
    full: new Intl.DateTimeFormat(locale, { ...zone, ...full }),
    day: new Intl.DateTimeFormat(locale, { ...zone, dateStyle: 'medium' }),
    time: new Intl.DateTimeFormat(locale, { ...zone, timeStyle: elsewhere ? 'long' : 'medium' }),
    clock: new Intl.DateTimeFormat(locale, { ...zone, hour: '2-digit', minute: '2-digit' }),
    count: new Intl.NumberFormat(locale),
  };
}
