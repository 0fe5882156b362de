import { expectAccessible } from './axe';
import { publish } from './device';
import { expect, test } from './fixtures';

test('an admin sees who did what and who was refused; a nurse does not', async ({
  page,
  hospital,
  signIn,
}) => {
  const device = hospital.device(4);
  await expect(publish(hospital, { ...device, token: 'wrong' }, { heartRate: 70 })).rejects.toThrow();
  await signIn(hospital.person('admin'));
  await page.getByRole('link', { name: 'Audit' }).click();
  const trail = page.getByRole('table', { name: 'Audit trail' });
  await expect(trail.getByRole('row').filter({ hasText: 'session.create' }).first()).toContainText(
    'Demo admin',
  );
  await page.getByText('Refused', { exact: true }).click();
  const refused = trail.getByRole('row').filter({ hasText: `device:${device.id}` });
  await expect(refused).toContainText('device.connect');
  await expect(refused).toContainText('refused');
  await expectAccessible(page);
  await page.getByRole('searchbox', { name: 'Action, e.g. alarm.' }).fill('rule.');
  await expect(page.getByText('Nothing was written down that fits')).toBeVisible();

  await page.context().clearCookies();
  await signIn(hospital.person('nurse'));
  await expect(page.getByRole('link', { name: 'Ward' })).toBeVisible();
  await expect(page.getByRole('link', { name: 'Audit' })).toHaveCount(0);
});
