import { expectAccessible } from './axe';
import { expect, test } from './fixtures';

test('a wrong password is told in plain words, and nothing is opened', async ({ page, hospital }) => {
  await page.goto(hospital.http);
  await expect(page).toHaveURL(/\/login$/);
  await page.getByLabel('E-mail').fill(hospital.person('nurse').email);
  await page.getByRole('textbox', { name: 'Password' }).fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toHaveText('E-mail or password is wrong.');
  await expect(page).toHaveURL(/\/login$/);
});

test('the page that was asked for opens after signing in, and signing out closes it', async ({
  page,
  hospital,
}) => {
  await page.goto(`${hospital.http}/devices`);
  await expect(page).toHaveURL(/\/login\?next=/);
  await page.getByLabel('E-mail').fill(hospital.person('nurse').email);
  await page.getByRole('textbox', { name: 'Password' }).fill(hospital.person('nurse').password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { name: 'Devices' })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Devices' })).toBeVisible();

  await page.getByRole('button', { name: 'Demo nurse' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await expect(page).toHaveURL(/\/login/);
  await page.goto(`${hospital.http}/ward`);
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
});

test('a set-up link that is not valid opens nothing', async ({ page, hospital }) => {
  await page.goto(`${hospital.http}/setup?token=guessed`);
  await expect(page.getByRole('alert')).toContainText('This link has been used or is not valid');
});

test('an operator sees the hospitals and no patients', async ({ page, hospital, signIn }) => {
  await signIn(hospital.operator);
  await expect(page.getByRole('heading', { name: 'Hospitals' })).toBeVisible();
  await expect(page.getByText('st-elsewhere')).toBeVisible();
  await expect(page.getByText('county-general')).toBeVisible();
  await expect(page.getByRole('link', { name: 'Ward' })).toHaveCount(0);
});

test('an operator suspends a hospital, whose people are told so, and serves it again', async ({
  page,
  hospital,
  signIn,
}) => {
  const nurse = hospital.person('nurse');
  const signInAsNurse = () =>
    page.request.post(`${hospital.http}/auth/login`, {
      headers: { Origin: hospital.http },
      data: { email: nurse.email, password: nurse.password },
    });
  await signIn(hospital.operator);
  const row = page.getByRole('row').filter({ hasText: hospital.slug });
  await row.getByRole('button', { name: /^Suspend/ }).click();
  await row.getByLabel('Why').fill('Moved to another platform');
  await row.getByRole('button', { name: 'Suspend it' }).click();
  await expect(row).toContainText('suspended for');
  await expectAccessible(page);
  const refused = await signInAsNurse();
  expect(refused.status()).toBe(403);
  expect(await refused.text()).toContain('this hospital is suspended');
  await row.getByRole('button', { name: /^Serve again/ }).click();
  await expect(row).toContainText('served');
  expect((await signInAsNurse()).status()).toBe(200);
});
