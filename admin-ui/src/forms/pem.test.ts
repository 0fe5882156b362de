import { expect, test } from 'vitest';
import { pemOf } from './pem';

test('PEM stays as it is, whatever stands before it', () => {
  const text = 'subject=CN = x\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  expect(pemOf(new TextEncoder().encode(text), 'CERTIFICATE')).toBe(text);
});

test('DER becomes PEM, in lines of 64 characters', () => {
  const pem = pemOf(new Uint8Array(100).fill(255), 'X509 CRL');
  const [begin, first, ...rest] = pem.split('\n');
  expect(begin).toBe('-----BEGIN X509 CRL-----');
  expect(first).toBe('/'.repeat(64));
  expect(rest.slice(-2)).toEqual(['-----END X509 CRL-----', '']);
  expect(atob(pem.replace(/-----.*-----|\n/g, '')).length).toBe(100);
});
