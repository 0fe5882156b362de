import { expect, test } from './fixtures';
import { ask } from './graphql';

const RULES = '{ rules { name raiseValue version } }';

interface Rules {
  rules: { name: string; raiseValue: number; version: number }[];
}

test('an admin edits a rule; a nurse reads it but cannot', async ({ page, hospital, signIn, browser }) => {
  const admin = hospital.person('admin');
  const named = async () =>
    (await ask<Rules>(hospital, admin, RULES)).rules.find(({ name }) => name === 'Fast heart rate');
  const before = await named();
  expect(before?.raiseValue).toBe(130);

  await signIn(admin);
  await page.getByRole('link', { name: 'Rules' }).click();
  await page.getByRole('link', { name: 'Fast heart rate' }).click();
  const bound = page.getByRole('group', { name: 'Raise the alarm' }).getByLabel('Bound');
  await bound.fill('110');
  await page.getByRole('button', { name: 'Save rule' }).click();
  await expect(page.getByText('Some values would both raise and clear the alarm.')).toBeVisible();
  await bound.fill('135');
  await expect(page.getByText('is above 135 /min')).toBeVisible();
  await page.getByRole('button', { name: 'Save rule' }).click();
  await expect(page.getByRole('row', { name: /Fast heart rate/ })).toContainText('above 135 /min');
  expect(await named()).toMatchObject({ raiseValue: 135, version: (before?.version ?? 0) + 1 });

  await page.getByRole('link', { name: 'Fast heart rate' }).click();
  await page.getByLabel('Unit').fill('furlong');
  await page.getByRole('button', { name: 'Save rule' }).click();
  await expect(page.getByRole('alert')).toContainText('Please check your entry');

  const nurse = await browser.newPage();
  const { signInAt } = await import('./fixtures');
  await signInAt(nurse, hospital, hospital.person('nurse'));
  await nurse.goto(page.url());
  await expect(nurse.getByText('is above 135 /min')).toBeVisible();
  await expect(nurse.getByRole('button', { name: 'Save rule' })).toHaveCount(0);
  await nurse.close();
});

test('somebody who was quicker is not overwritten', async ({ page, hospital, signIn, browser }) => {
  const { signInAt } = await import('./fixtures');
  const admin = hospital.person('admin');
  await signIn(admin);
  await page.goto(`${hospital.http}/rules`);
  await page.getByRole('link', { name: 'Fast breathing' }).click();
  await expect(page.getByLabel('Name')).toHaveValue('Fast breathing');

  const other = await browser.newPage();
  await signInAt(other, hospital, admin);
  await other.goto(page.url());
  await other.getByLabel('Name').fill('Fast breathing, adults');
  await other.getByRole('button', { name: 'Save rule' }).click();
  await expect(other.getByRole('heading', { name: 'Rules' })).toBeVisible();
  await other.close();

  await page.getByLabel('Name').fill('Fast breathing, everybody');
  await page.getByRole('button', { name: 'Save rule' }).click();
  await expect(page.getByRole('alert')).toContainText('Not saved');
});
