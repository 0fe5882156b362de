import type { Page } from '@playwright/test';
import { expectAccessible } from './axe';
import { expect, test } from './fixtures';
import { ask } from './graphql';
import type { Hospital } from './hospital';
import { CLIENT, type IdentityProvider, startProvider } from './provider';

const SAVE = `mutation ($input: SaveIdentityProviderInput!) {
  saveIdentityProvider(input: $input) { id version } }`;

let provider: IdentityProvider;

test.beforeEach(async ({ hospital }) => {
  provider = await startProvider();
  provider.groups.nora = ['Nurses'];
  provider.serve(hospital.http);
});

test.afterEach(async () => {
  await provider.stop();
});

/** Enrols the provider as an administrator's program would, and lets it tell who signs out. */
async function enrol(hospital: Hospital, name: string): Promise<void> {
  const admin = hospital.person('admin');
  const { orgUnits } = await ask<{ orgUnits: { id: string }[] }>(hospital, admin, '{ orgUnits { id } }');
  const { saveIdentityProvider } = await ask<{ saveIdentityProvider: { id: string } }>(
    hospital,
    admin,
    SAVE,
    {
      input: {
        name,
        issuer: provider.issuer,
        clientId: CLIENT.id,
        clientSecret: CLIENT.secret,
        scopes: ['email', 'profile', 'groups'],
        groupClaim: 'groups',
        roles: [{ group: 'Nurses', role: 'nurse', unit: orgUnits[0]?.id }],
        enabled: true,
      },
    },
  );
  const id = saveIdentityProvider.id;
  provider.serve(hospital.http, `/auth/oidc/backchannel-logout/${hospital.slug}/${id}`);
}

async function choose(page: Page, field: string, option: string): Promise<void> {
  await page.getByRole('combobox', { name: field }).click();
  await page.getByRole('option', { name: option, exact: true }).click();
}

async function leaveFor(page: Page, hospital: Hospital, name: string): Promise<void> {
  await page.goto(`${hospital.http}/login`);
  await page.getByRole('link', { name: 'Sign in with your hospital' }).click();
  await page.getByLabel('Hospital').fill(hospital.slug);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('link', { name: `Continue with ${name}`, exact: true }).click();
}

/** Signs in at the provider, and agrees to what the hospital asks for. */
async function signInThere(page: Page, login: string): Promise<void> {
  await page.locator('input[name=login]').fill(login);
  await page.locator('input[name=password]').fill('any');
  await page.locator('button[type=submit]').click();
  await page.getByRole('button', { name: 'Continue' }).click();
}

async function expectWard(page: Page): Promise<void> {
  await expect(page.getByRole('navigation', { name: 'Main' })).toBeVisible();
}

/** A session that ended elsewhere is noticed within seconds. */
async function expectOut(page: Page, hospital: Hospital): Promise<void> {
  await expect(async () => {
    await page.goto(`${hospital.http}/ward`);
    await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible({ timeout: 2_000 });
  }).toPass();
}

test('somebody of the hospital signs in at its provider, gets a role by group, and signs out of both', async ({
  page,
  hospital,
}) => {
  await enrol(hospital, 'the directory');
  await leaveFor(page, hospital, 'the directory');
  await signInThere(page, 'nora');
  await expectWard(page);
  await page.getByRole('button', { name: 'nora of the directory' }).click();
  await expect(page.getByText('nora@directory.example · nurse')).toBeVisible();

  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.waitForURL(`${provider.issuer}/session/end**`);
  await page.locator('button[value=yes]').click();
  await page.waitForURL(`${hospital.http}/login**`);
  await page.goto(`${hospital.http}/ward`);
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();

  const trail = await ask<{ auditLog: { nodes: { action: string; outcome: string }[] } }>(
    hospital,
    hospital.person('admin'),
    '{ auditLog(first: 50) { nodes { action outcome } } }',
  );
  const actions = trail.auditLog.nodes.map(({ action, outcome }) => `${action} ${outcome}`);
  for (const action of ['identity_provider.save', 'user.create', 'session.create', 'session.end']) {
    expect(actions).toContain(`${action} SUCCESS`);
  }
});

test('an admin enrols the provider, changes it and removes it; who came through it is out', async ({
  page,
  browser,
  hospital,
  signIn,
}) => {
  await signIn(hospital.person('admin'));
  await page.getByRole('link', { name: 'Sign-in' }).click();
  await page.getByRole('button', { name: 'Enrol a provider' }).click();
  await expect(page.getByText(`${hospital.http}/auth/oidc/callback`)).toBeVisible();
  await page.getByLabel('Name').fill('the enrolled one');
  await page.getByLabel('Issuer').fill(`${provider.issuer}/elsewhere`);
  await page.getByRole('button', { name: 'Ask it' }).click();
  await expect(page.getByRole('alert')).toContainText('does not answer as it should');
  await page.getByLabel('Issuer').fill(provider.issuer);
  await page.getByRole('button', { name: 'Ask it' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'It answers' })).toContainText(
    'Who signs out there is signed out here.',
  );
  await page.getByLabel('Client id').fill(CLIENT.id);
  await page.getByLabel('Client secret').fill(CLIENT.secret);
  await page.getByLabel('Scopes').fill('email profile groups');
  await page.getByRole('button', { name: 'Add a group' }).click();
  await page.getByRole('button', { name: 'Enrol provider' }).click();
  await expect(page.getByText('Enter the group as the provider names it.')).toBeVisible();
  await page.getByRole('textbox', { name: 'Group 1' }).fill('Nurses');
  await choose(page, 'holds', 'nurse');
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Enrol provider' }).click();
  await expect(page.getByText('/auth/oidc/backchannel-logout/')).toBeVisible();

  const elsewhere = await browser.newContext();
  const nurse = await elsewhere.newPage();
  provider.groups.erin = ['Nurses'];
  await leaveFor(nurse, hospital, 'the enrolled one');
  await signInThere(nurse, 'erin');
  await expectWard(nurse);

  await page.getByLabel('Name').fill('the renamed one');
  await page.getByRole('button', { name: 'Save provider' }).click();
  const row = page.getByRole('row').filter({ hasText: 'the renamed one' });
  await expect(row).toContainText('Nurses: nurse');
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Remove the renamed one' }).click();
  await row.getByRole('button', { name: 'Remove it' }).click();
  await expect(row).toHaveCount(0);
  await expectOut(nurse, hospital);
  await elsewhere.close();
});

test('signing out at the provider ends the session here', async ({ page, hospital }) => {
  await enrol(hospital, 'the directory 2');
  provider.groups.ben = ['Nurses'];
  await leaveFor(page, hospital, 'the directory 2');
  await signInThere(page, 'ben');
  await expectWard(page);
  const there = await page.context().newPage();
  await there.goto(`${provider.issuer}/session/end`);
  await there.locator('button[value=yes]').click();
  await expectOut(page, hospital);
});

test('what came back once does not come back again, nor does the answer of another provider', async ({
  page,
  hospital,
}) => {
  await enrol(hospital, 'the directory 3');
  const other = await startProvider();
  provider.groups.carl = ['Nurses'];
  let callback = '';
  page.on('request', (request) => {
    if (request.url().includes('/auth/oidc/callback')) callback = request.url();
  });
  provider.pretend(other.issuer);
  await leaveFor(page, hospital, 'the directory 3');
  await signInThere(page, 'carl');
  await expect(page.getByRole('alert')).toContainText('was not accepted');
  provider.pretend(null);

  await leaveFor(page, hospital, 'the directory 3');
  await expectWard(page);
  const used = callback;
  await page.goto(used);
  await expect(page.getByRole('navigation', { name: 'Main' })).toBeVisible();
  await page.context().clearCookies();
  await page.goto(used);
  await expect(page.getByRole('alert')).toContainText('was finished before');
  await other.stop();
});

test('whoever has no group that is known here gets no account', async ({ page, hospital }) => {
  await enrol(hospital, 'the directory 4');
  await leaveFor(page, hospital, 'the directory 4');
  await signInThere(page, 'visitor');
  await expect(page.getByRole('alert')).toContainText('You have no role here yet');
});

test('keys rotate unnoticed; a provider that is down is told in plain words, and passwords still open', async ({
  page,
  hospital,
  signIn,
}) => {
  await enrol(hospital, 'the directory 5');
  provider.groups.dora = ['Nurses'];
  await leaveFor(page, hospital, 'the directory 5');
  provider.rotateKeys();
  await signInThere(page, 'dora');
  await expectWard(page);

  await page.context().clearCookies();
  await provider.stop();
  provider = await startProvider();
  await expect(async () => {
    await leaveFor(page, hospital, 'the directory 5');
    await expect(page.getByRole('alert')).toContainText('cannot be reached', { timeout: 3_000 });
  }).toPass({ timeout: 30_000 });
  await signIn(hospital.person('admin'));
});
