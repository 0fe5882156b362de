import { readFile } from 'node:fs/promises';
import { expectAccessible } from './axe';
import { expect, rowOf, test } from './fixtures';

test('who saw a patient is told in words the patient understands, on screen, on paper and as a file', async ({
  page,
  hospital,
  signIn,
}) => {
  const { patient } = hospital.device(4);
  await signIn(hospital.person('nurse'));
  await page.goto(`${hospital.http}/ward`);
  await rowOf(page, patient).getByRole('link').click();
  await expect(page.getByRole('heading', { name: 'ECG' })).toBeVisible();
  await expect(page.getByRole('link', { name: 'Who saw this record' })).toHaveCount(0);

  await page.context().clearCookies();
  await signIn(hospital.person('admin'));
  await page.goto(`${hospital.http}/patients/${patient}`);
  await page.getByRole('link', { name: 'Who saw this record' }).click();
  const report = page.getByRole('table', { name: 'Who saw this record' });
  const line = report.getByRole('row').filter({ hasText: 'Demo nurse' }).first();
  await expect(line).toContainText('your name and where you lie');
  await expect(line).toContainText('your vital signs');
  await expect(line).toContainText('Their work as nurse');
  await expect(report.getByRole('row').filter({ hasText: 'Demo admin' }).first()).toContainText('admin');
  await expectAccessible(page);

  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download CSV' }).click();
  const file = await readFile(await (await saved).path(), 'utf8');
  expect(file).toContain('"When","Who","Role","What","Why","Refused"');
  expect(file).toMatch(/"Demo nurse","nurse","Saw your name and where you lie.*","Their work as nurse","no"/);

  await page.emulateMedia({ media: 'print' });
  await expect(line).toBeVisible();
  await expect(page.getByRole('navigation', { name: 'Main' })).toBeHidden();
  await expect(page.getByRole('button', { name: 'Print' })).toBeHidden();
});

test('from the audit trail to a patient: also for those who were refused', async ({
  page,
  hospital,
  signIn,
}) => {
  const nobody = '00000000-0000-7000-8000-00000000dead';
  await signIn(hospital.person('nurse'));
  await page.goto(`${hospital.http}/patients/${nobody}`);
  await expect(page.getByText('No such patient')).toBeVisible();

  await page.context().clearCookies();
  await signIn(hospital.person('admin'));
  await page.getByRole('link', { name: 'Audit' }).click();
  await page.getByText('Refused', { exact: true }).click();
  await page
    .getByRole('link', { name: `patient:${nobody}` })
    .first()
    .click();
  const report = page.getByRole('table', { name: 'Who saw this record' });
  await expect(report.getByRole('row').filter({ hasText: 'Demo nurse' })).toContainText('and was refused');
});
