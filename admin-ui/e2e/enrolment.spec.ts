import { expectAccessible } from './axe';
import { expect, test } from './fixtures';

test('an admin finds with what devices register themselves', async ({ page, hospital, signIn }) => {
  await signIn(hospital.person('admin'));
  await page.getByRole('link', { name: 'Devices' }).click();
  await page.getByRole('link', { name: 'Enrolment' }).click();
  const boards = page.getByRole('region', { name: 'Devices made for ThingsBoard' });
  const key = boards.getByLabel('Provision device key');
  await expect(key).toHaveValue(/^0ne.{22}\/dtmi:iomt:PatientMonitor;1$/);
  const becomes = boards.getByLabel('A device that is not registered becomes');
  await becomes.selectOption({ label: 'Vitals sensor' });
  await expect(key).toHaveValue(/\/dtmi:iomt:VitalsSensor;1$/);
  await becomes.selectOption('');
  await expect(key).toHaveValue(/^0ne[^/]{22}$/);
  await boards.getByRole('button', { name: 'Show the provision device secret' }).click();
  const secret = boards.getByLabel('Provision device secret');
  await expect(secret).toHaveValue(/^[\w-]{43}$/);

  const azure = page.getByRole('region', { name: 'Devices made for Azure IoT' });
  await azure.getByRole('button', { name: 'Show the group key' }).click();
  await expect(azure.getByLabel('Group key')).toHaveValue(/^[\w+/]{43}=$/);
  await expectAccessible(page);

  await page.getByRole('link', { name: 'Audit' }).click();
  await expect(page.getByText('newcomer_secret.reveal').first()).toBeVisible();
  await expect(page.getByText('enrolment_key.reveal').first()).toBeVisible();
});

test('it is not for who registers no devices', async ({ page, hospital, signIn }) => {
  await signIn(hospital.person('nurse'));
  await page.goto(`${hospital.http}/enrolment`);
  await expect(page.getByText('Not for your role')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Show the group key' })).toHaveCount(0);
});
