import { expectAccessible } from './axe';
import { expect, signInAt, test } from './fixtures';
import { startHospital } from './hospital';

const REASON = 'Alarms of the ward come late';

test('an operator asks for access, is let in, sees the ward, and is shown out', async ({ page, browser }) => {
  test.setTimeout(90_000);
  const hospital = await startHospital();
  const context = await browser.newContext();
  const admin = await context.newPage();
  try {
    await signInAt(page, hospital, hospital.operator);
    const row = page.getByRole('row').filter({ hasText: hospital.slug });
    await row.getByRole('button', { name: /^Ask for access to/ }).click();
    const form = page.getByRole('region', { name: /^Access to/ });
    await form.getByRole('combobox', { name: 'Role' }).fill('nurse');
    await form.getByLabel('Why').fill('late');
    await form.getByRole('button', { name: 'Ask', exact: true }).click();
    await expect(form.getByText('Say why, in at least 10 characters')).toBeVisible();
    await form.getByLabel('Why').fill(REASON);
    await expectAccessible(page);
    await form.getByRole('button', { name: 'Ask', exact: true }).click();
    await expect(row).toContainText('asked');
    await expect(row.getByRole('button', { name: /^Enter/ })).toHaveCount(0);

    await signInAt(admin, hospital, hospital.person('admin'));
    await expect(admin.getByText('1 waiting for an answer')).toBeAttached();
    await admin.getByRole('link', { name: /^Operators/ }).click();
    const request = admin.getByRole('row').filter({ hasText: REASON });
    await expect(request).toContainText('waits for an answer');
    await request.getByRole('button', { name: /^Let in/ }).click();
    await expect(request).toContainText('let in');
    await expect(admin.getByText('waiting for an answer')).toHaveCount(0);
    await expectAccessible(admin);

    await row.getByRole('button', { name: /^Enter/ }).click();
    const notice = page.getByRole('region', { name: 'Operator access' });
    await expect(notice).toContainText(REASON);
    await expect(page.getByRole('heading', { name: 'Ward', exact: false }).first()).toBeVisible();
    await expect(page.getByText('Connection: Live')).toBeAttached();
    await expect(page.locator('a[href^="/patients/"]').first()).toBeVisible();
    await expectAccessible(page);
    await page.reload();
    await expect(notice).toBeVisible();

    await request.getByRole('button', { name: /^End access/ }).click();
    await expect(request).toContainText('over');
    await expect(page.getByRole('heading', { name: 'Hospitals', exact: true })).toBeVisible();
    await expect(row.getByRole('button', { name: /^Ask for access/ })).toBeVisible();
    await admin.goto(`${hospital.http}/audit`);
    await expect(admin.getByText(`because: ${REASON}`).first()).toBeVisible();
  } finally {
    await context.close();
    await hospital.stop();
  }
});
