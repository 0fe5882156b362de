import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test as base, expect } from '@playwright/test';
import { expectAccessible } from './axe';
import { stopped } from './hospital';

/** A server on an empty database, and the one-time link that it prints. */
interface Empty {
  link: string;
  origin: string;
}

const START_MS = 60_000;

const test = base.extend<{ empty: Empty }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the first parameter's names.
  empty: async ({}, use) => {
    const folder = mkdtempSync(join(tmpdir(), 'iomt-first-start-'));
    const binary = resolve(process.env.IOMT_BIN ?? join(import.meta.dirname, '../../target/debug/iomt'));
    const any = '127.0.0.1:0';
    const server = spawn(binary, ['serve', '--http-addr', any, '--mqtt-addr', any, '--metrics-addr', any], {
      env: { ...process.env, IOMT_DATABASE_URL: `sqlite://${join(folder, 'iomt.db')}` },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    try {
      const link = await printedLink(server);
      await use({ link, origin: new URL(link).origin });
    } finally {
      await stopped(server);
      rmSync(folder, { recursive: true, force: true });
    }
  },
});

/** Waits for the link, which the server prints once it listens. */
function printedLink(server: ChildProcess): Promise<string> {
  return new Promise((found, failed) => {
    let output = '';
    const late = setTimeout(
      () => failed(new Error(`no set-up link within ${START_MS} ms:\n${output}`)),
      START_MS,
    );
    server.once('exit', (code) => failed(new Error(`the server ended with ${code}:\n${output}`)));
    for (const stream of [server.stdout, server.stderr]) {
      stream?.on('data', (text) => {
        output += text;
        const link = output.match(/http:\S+\/setup\?token=\S+(?=\s)/);
        if (!link) return;
        clearTimeout(late);
        found(link[0]);
      });
    }
  });
}

test('the first start makes an operator through a link that works once', async ({ page, empty }) => {
  await page.goto(empty.link);
  await page.getByLabel('Your name').fill('Rosa Operator');
  await page.getByLabel('E-mail').fill('rosa@platform.example');
  await page.getByRole('textbox', { name: 'Password', exact: true }).fill('too short');
  await page.getByRole('textbox', { name: 'Password again' }).fill('too short');
  await page.getByRole('button', { name: 'Create and sign in' }).click();
  await expect(page.getByText('Use at least 12 characters.')).toBeVisible();

  await page.getByRole('textbox', { name: 'Password', exact: true }).fill('a password of some length');
  await page.getByRole('textbox', { name: 'Password again' }).fill('a password of some length');
  await page.getByRole('button', { name: 'Create and sign in' }).click();
  await expect(page.getByRole('heading', { name: 'Hospitals', exact: true })).toBeVisible();
  await expect(page.getByText('No hospitals yet')).toBeVisible();

  await page.getByRole('button', { name: 'Rosa Operator' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await expect(page).toHaveURL(/\/login/);
  await page.goto(empty.link);
  await expect(page.getByRole('alert')).toContainText('This link has been used or is not valid');

  await page.goto(`${empty.origin}/login`);
  await page.getByLabel('E-mail').fill('rosa@platform.example');
  await page.getByRole('textbox', { name: 'Password' }).fill('a password of some length');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByText('No hospitals yet')).toBeVisible();

  // The first hospital comes aboard, and its administrator through the link that is shown once.
  await page.getByRole('button', { name: 'New hospital' }).click();
  await page.getByLabel('Name', { exact: true }).fill('St. Elsewhere');
  await page.getByLabel('Slug').fill('St Elsewhere');
  await page.getByLabel('E-mail of its first administrator').fill('ada@st-elsewhere.example');
  await page.getByLabel('Country').fill('DE');
  await page.getByLabel('Language').fill('de-DE');
  await page.getByRole('combobox', { name: 'Time zone' }).fill('Berlin');
  await page.getByRole('option', { name: 'Europe/Berlin' }).click();
  await page.getByRole('button', { name: 'Create hospital' }).click();
  await expect(page.getByText('Use 2 to 39 of a-z, 0-9 and -')).toBeVisible();
  await page.getByLabel('Slug').fill('st-elsewhere');
  await page.getByRole('button', { name: 'Create hospital' }).click();
  const made = page.getByRole('status', { name: 'Hospital created' });
  await expect(made).toContainText('St. Elsewhere is aboard');
  const invitation = await made.getByLabel('Link for its first administrator').inputValue();
  await expect(page.getByRole('cell', { name: 'st-elsewhere' })).toBeVisible();
  await expect(page.getByRole('cell', { name: /DE · de-DE · Europe\/Berlin/ })).toBeVisible();
  await page.getByRole('button', { name: 'Change where St. Elsewhere is' }).click();
  const where = page.getByRole('region', { name: 'Where St. Elsewhere is' });
  await where.getByLabel('Language').fill('no language');
  await where.getByRole('button', { name: 'Save' }).click();
  await expect(where.getByText('Use a language tag, such as de-DE.')).toBeVisible();
  await where.getByLabel('Language').fill('de-CH');
  await where.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('cell', { name: /DE · de-CH · Europe\/Berlin/ })).toBeVisible();
  await expectAccessible(page);

  const someone = await (await page.context().browser())?.newContext();
  if (!someone) throw new Error('no browser');
  const admin = await someone.newPage();
  await admin.goto(invitation);
  await expect(admin.getByRole('heading', { name: 'Welcome to St. Elsewhere' })).toBeVisible();
  await expect(admin.getByLabel('E-mail')).toHaveValue('ada@st-elsewhere.example');
  await expectAccessible(admin);
  await admin.getByLabel('Your name').fill('Ada Admin');
  await admin.getByRole('textbox', { name: 'Password', exact: true }).fill('another password of length');
  await admin.getByRole('textbox', { name: 'Password again' }).fill('another password of length');
  await admin.getByRole('button', { name: 'Create and sign in' }).click();
  await expect(admin.getByRole('heading', { name: 'Ward', exact: false }).first()).toBeVisible();
  await admin.getByRole('button', { name: 'Ada Admin' }).click();
  await expect(admin.getByText('ada@st-elsewhere.example · admin')).toBeVisible();
  await admin.goto(invitation);
  await expect(admin.getByRole('alert')).toContainText('This invitation has been used');
  await someone.close();
});
