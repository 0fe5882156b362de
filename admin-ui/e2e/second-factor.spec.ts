import { expectAccessible } from './axe';
import { expect, test } from './fixtures';
import { totp } from './totp';

test('somebody sets up a second factor, signs in with it, loses the phone and is helped', async ({
  page,
  hospital,
  signIn,
}) => {
  const clinician = hospital.person('clinician');
  await signIn(clinician);
  const account = page.getByRole('banner').getByRole('button', { name: /clinician/i });
  await account.click();
  await page.getByRole('menuitem', { name: 'Second factor' }).click();
  await expect(page.getByRole('button', { name: 'Set up' })).toBeVisible();
  await expect(page.getByRole('menu')).toBeHidden();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Set up' }).click();
  await expect(page.getByRole('img', { name: 'QR code for your authenticator app' })).toBeVisible();
  await expectAccessible(page);
  const key = await page.getByText(/^(?:[A-Z2-7]{4} ?){8}$/).innerText();
  const code = page.getByLabel('Code that the app shows');
  await code.fill('000000');
  await page.getByRole('button', { name: 'Turn on' }).click();
  await expect(page.getByRole('alert')).toContainText('this code does not count');
  await code.fill(totp(key));
  await page.getByRole('button', { name: 'Turn on' }).click();
  const told = page.getByRole('status', { name: 'Recovery codes' });
  await expect(told.getByRole('listitem')).toHaveCount(10);
  await expectAccessible(page);
  const [first = '', second = ''] = await told.getByRole('listitem').allInnerTexts();
  await page.getByRole('button', { name: 'I have kept them' }).click();
  await expect(page.getByText('10 recovery codes are left.')).toBeVisible();
  await expectAccessible(page);

  const signOut = async () => {
    await page
      .getByRole('banner')
      .getByRole('button', { name: /clinician/i })
      .click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
  };
  const enterPassword = async () => {
    await page.getByLabel('E-mail').fill(clinician.email);
    await page.getByLabel('Password', { exact: true }).fill(clinician.password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  };
  await signOut();
  await enterPassword();
  const asked = page.getByLabel('Code of your authenticator app');
  await expect(asked).toBeFocused();
  await expectAccessible(page);
  await asked.fill('123456');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(page.getByRole('alert')).toContainText('This code does not count');
  await asked.fill(totp(key, Date.now() + 30_000));
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(account).toBeVisible();
  await signOut();
  await enterPassword();
  await asked.fill(first);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(account).toBeVisible();
  await page.goto(`${hospital.http}/second-factor`);
  await expect(page.getByText('9 recovery codes are left.')).toBeVisible();
  await page.getByRole('button', { name: 'New recovery codes' }).click();
  await page.getByLabel('Code that the app shows').fill(second);
  await page.getByRole('button', { name: 'Make new codes' }).click();
  await expect(told.getByRole('listitem')).toHaveCount(10);
  await signOut();

  await signIn(hospital.person('admin'));
  await page.getByRole('link', { name: 'People' }).click();
  const row = page.getByRole('row').filter({ hasText: clinician.email });
  await row.getByRole('button', { name: /Reset second factor/ }).click();
  await expectAccessible(page);
  await row.getByRole('button', { name: 'Reset it' }).click();
  await expect(row).toContainText('none');
  await page.getByRole('banner').getByRole('button', { name: /admin/i }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await enterPassword();
  await expect(account).toBeVisible();
});
