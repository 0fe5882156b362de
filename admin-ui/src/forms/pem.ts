/** What a block of PEM holds (RFC 7468). */
export type PemLabel = 'CERTIFICATE' | 'X509 CRL';

const LINE = 64;

/** The text of a file: as it is where it is PEM, else its bytes are DER and are written as PEM. */
export function pemOf(bytes: Uint8Array, label: PemLabel): string {
  const text = new TextDecoder().decode(bytes);
  if (text.includes('-----BEGIN ')) return text;
  const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  const lines = base64.match(new RegExp(`.{1,${LINE}}`, 'g')) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
