import { expectAccessible } from './axe';
import { expect, signInAt, test } from './fixtures';

test('somebody ends a session that they left open elsewhere, and it is over at once', async ({
  page,
  browser,
  hospital,
  signIn,
}) => {
  const researcher = hospital.person('researcher');
  const elsewhere = await browser.newContext();
  const left = await elsewhere.newPage();
  await signInAt(left, hospital, researcher);
  await expect(left.getByText('Live', { exact: true })).toBeVisible();

  await signIn(researcher);
  await page
    .getByRole('banner')
    .getByRole('button', { name: /researcher/i })
    .click();
  await page.getByRole('menuitem', { name: 'Your sessions' }).click();
  const rows = page.getByRole('region', { name: 'Sessions' }).getByRole('row');
  await expect(rows.filter({ hasText: 'this one' })).toHaveCount(1);
  await expect(rows.filter({ hasText: 'this one' })).toContainText('Chrome on Linux');
  await expectAccessible(page);
  await page.getByRole('button', { name: 'End all others' }).click();
  await expect(page.getByRole('button', { name: 'End all others' })).toHaveCount(0);
  await expect(rows).toHaveCount(2);
  // Its open page notices by itself.
  await expect(left.getByLabel('E-mail')).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Your sessions' })).toBeVisible();
  await elsewhere.close();
});
