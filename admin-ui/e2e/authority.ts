import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';

/** A certificate authority as a hospital has one: OpenSSL in a folder of its own. */
export interface Authority {
  file: (name: string) => string;
  /** What somebody types in that folder. */
  run: (script: string) => void;
}

const CONFIGURATION = `
[ca]
default_ca = own
[own]
database = index.txt
default_md = sha256
default_crl_days = 30
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
[req]
distinguished_name = name
[name]
`;

export function makeAuthority(name: string): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'authority-'));
  const file = (name: string) => join(folder, name);
  const run = (script: string) => {
    execFileSync('sh', ['-e', '-c', script], { cwd: folder, stdio: 'pipe' });
  };
  writeFileSync(file('ca.cnf'), CONFIGURATION);
  writeFileSync(file('index.txt'), '');
  run(`openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj "/CN=${name}" \
    -config ca.cnf -extensions authority -keyout ca-key.pem -out ca.pem`);
  return { file, run };
}

/** Gives a file to the one form of the page that takes a certificate, key or list. */
export async function uploadPem(page: Page, file: string): Promise<void> {
  const choosing = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'From a file' }).click();
  await (await choosing).setFiles(file);
}
