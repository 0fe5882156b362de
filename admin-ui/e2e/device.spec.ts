import { expectAccessible } from './axe';
import { connect, obey, publish } from './device';
import { expect, test } from './fixtures';

test('a message that is not understood stands on the device page with its reason, and the twin lives on', async ({
  page,
  hospital,
  signIn,
}) => {
  const device = hospital.device(3);
  await signIn(hospital.person('admin'));
  await page.getByRole('link', { name: 'Devices' }).click();
  await page.getByRole('searchbox', { name: 'Search devices' }).fill(device.id);
  await page.getByRole('table').locator(`a[href="/devices/${device.id}"]`).click();
  await expect(page.getByText('Every message of this device was understood.')).toBeVisible();

  await publish(hospital, device, 'this is no JSON', 'telemetry', { ward: '4 West' });
  await publish(hospital, device, { temperature: { value: 38.2, unit: 'furlong' } });
  const aside = page.getByRole('region', { name: 'Messages set aside' });
  await expect(aside).toContainText('not_json');
  await expect(aside).toContainText('this is no JSON');
  await expect(aside.getByRole('row').filter({ hasText: 'unknown_unit' })).toContainText('furlong');

  const sent = page.getByRole('region', { name: 'Last messages as they were sent' });
  await expect(sent.getByRole('row').nth(1)).toContainText('furlong');
  await expect(sent.getByRole('row').nth(2)).toContainText('this is no JSON');
  await expect(sent.getByRole('row').nth(2)).toContainText('with ward: 4 West');
  await expect(sent.getByRole('row').nth(1)).not.toContainText('with ward');

  await publish(hospital, device, { heartRate: 64, batteryLevel: 0.83 });
  const readings = page.getByRole('row');
  await expect(readings.filter({ hasText: 'heartRate' }).first()).toContainText('64');
  await expect(readings.filter({ hasText: 'batteryLevel' }).first()).toContainText('unmodeled');
});

test('a connected device shows where from, and whoever keeps devices working sends it away', async ({
  page,
  hospital,
  signIn,
}) => {
  const device = hospital.device(1);
  const { ended } = await connect(hospital, device);
  await signIn(hospital.person('admin'));
  await page.goto(`${hospital.http}/devices/${device.id}`);
  const connection = page.getByRole('region', { name: 'Connection' });
  const session = connection.getByRole('table').first().getByRole('row').last();
  await expect(session).toContainText('127.0.0.1');
  await expect(session).toContainText('TCP');
  await expect(session).toContainText('3.1.1');
  await expectAccessible(page);
  await connection.getByRole('button', { name: 'Disconnect it' }).click();
  await ended;
  await expect(connection.getByText('It is not connected over MQTT now.')).toBeVisible();
  await page.getByRole('link', { name: 'Audit' }).click();
  await expect(page.getByText('device.disconnect').first()).toBeVisible();
});

test('a device is told what to be like and what to do, and says what became of it', async ({
  page,
  hospital,
  signIn,
}) => {
  const device = hospital.device(5);
  await signIn(hospital.person('admin'));
  await page.goto(`${hospital.http}/devices/${device.id}`);
  const properties = page.getByRole('region', { name: 'Properties' });
  await expect(properties).toContainText('Nothing is asked of it, and it has said nothing of itself.');
  await properties.getByRole('button', { name: 'Change them' }).click();
  const changes = properties.getByRole('textbox', { name: 'What is to change' });
  await changes.fill('[1]');
  await properties.getByRole('button', { name: 'Ask it of the device' }).click();
  await expect(properties).toContainText('Write a JSON object');
  await changes.fill('{ "sampleRate": 250, "display": { "dim": true } }');
  await properties.getByRole('button', { name: 'Ask it of the device' }).click();
  await expect(properties).toContainText('It has not confirmed version 1 of what is asked of it.');
  await publish(hospital, device, { sampleRate: 250, $version: 1 }, 'properties/reported');
  await expect(properties).toContainText('It has taken on version 1 of what is asked of it.');
  const row = properties.getByRole('row').filter({ hasText: 'sampleRate' });
  await expect(row.getByRole('cell')).toHaveText(['sampleRate', '250', '250']);

  const command = page.getByRole('region', { name: 'Command' });
  await command.getByRole('textbox', { name: 'What it is to do' }).fill('selfTest');
  await command.getByRole('textbox', { name: 'What else it has to know' }).fill('{ "deep": true }');
  await command.getByRole('button', { name: 'Have it done' }).click();
  await expect(command).toContainText('the device is not connected');
  await obey(hospital, device);
  await command.getByRole('button', { name: 'Have it done' }).click();
  await expect(command).toContainText('It answered 200 {"deep":true}');
  await expectAccessible(page);
  await page.screenshot({ path: 'test-results/properties.png', fullPage: true });
  await page.getByRole('link', { name: 'Audit' }).click();
  await expect(page.getByText('device.command').first()).toBeVisible();
});

test('a device is blocked, let in again, and given another token', async ({ page, hospital, signIn }) => {
  const device = hospital.device(4);
  const { ended } = await connect(hospital, device);
  await signIn(hospital.person('admin'));
  await page.goto(`${hospital.http}/devices/${device.id}`);
  const access = page.getByRole('region', { name: 'Access' });
  await access.getByRole('button', { name: 'Block it' }).click();
  await access.getByRole('textbox', { name: 'Why' }).fill('Lost on 4 West');
  await access.getByRole('button', { name: 'Block this device' }).click();
  await ended;
  await expect(page.getByText('Blocked', { exact: true })).toBeVisible();
  await expect(access).toContainText('it may not connect, whatever it presents');
  await expectAccessible(page);
  await expect(publish(hospital, device, { heartRate: 61 })).rejects.toThrow();
  await access.getByRole('button', { name: 'Let it in again' }).click();
  await expect(access).toContainText(`It signs in as ${hospital.slug}/${device.id}`);
  await publish(hospital, device, { heartRate: 61 });

  await access.getByRole('button', { name: 'New token' }).click();
  await access.getByRole('button', { name: 'Make a new one' }).click();
  const token = await access.getByRole('textbox', { name: `Token of ${device.id}` }).inputValue();
  await expect(publish(hospital, device, { heartRate: 62 })).rejects.toThrow();
  device.token = token; // others use the device, too
  await publish(hospital, device, { heartRate: 63 });
  await access.getByRole('button', { name: 'Show its key' }).click();
  await expect(access.getByRole('textbox', { name: `Symmetric key of ${device.id}` })).toHaveValue(/=$/);
  await expectAccessible(page);
  await page.screenshot({ path: 'test-results/access.png', fullPage: true });
});

test('a device is put behind a gateway, and speaks for itself again', async ({ page, hospital, signIn }) => {
  const [device, gateway] = [hospital.device(5), hospital.device(4)];
  await signIn(hospital.person('admin'));
  await page.goto(`${hospital.http}/devices/${device.id}`);
  const panel = page.getByRole('region', { name: 'Gateway' });
  await expect(panel).toContainText('It speaks for itself.');
  await panel.getByRole('button', { name: 'Put it behind a gateway' }).click();
  await panel.getByRole('textbox', { name: 'Which gateway' }).fill(device.id);
  await panel.getByRole('button', { name: 'Put it behind this one' }).click();
  await expect(panel).toContainText('a gateway speaks for itself');
  await panel.getByRole('textbox', { name: 'Which gateway' }).fill(gateway.id);
  await panel.getByRole('button', { name: 'Put it behind this one' }).click();
  await panel.getByRole('link').click();
  await expect(page).toHaveURL(new RegExp(`/devices/${gateway.id}$`));
  await expect(panel).toContainText('It is a gateway and speaks for');
  await expectAccessible(page);
  await panel.getByRole('link').click();
  await panel.getByRole('button', { name: 'Let it speak for itself only' }).click();
  await expect(panel).toContainText('It speaks for itself.');
});

test('whoever stands beside a device that does not come through reads why', async ({
  page,
  hospital,
  signIn,
}) => {
  const device = hospital.device(2);
  await expect(publish(hospital, { ...device, token: 'mistyped' }, {})).rejects.toThrow();
  await publish(hospital, device, { heartRate: 61 });
  await signIn(hospital.person('nurse'));
  await page.goto(`${hospital.http}/devices/${device.id}`);
  const log = page.getByRole('table', { name: 'Connection log' });
  await expect(async () => {
    await page.reload();
    await expect(log.getByRole('row')).toHaveCount(4, { timeout: 2_000 });
  }).toPass({ timeout: 20_000 });
  const last = log.getByRole('row').nth(1);
  const first = log.getByRole('row').nth(3);
  await expect(last).toContainText('It said goodbye');
  await expect(first).toContainText('Not let in');
  await expect(first).toContainText('The password is wrong');
  await expect(first).toContainText('127.0.0.1');
  await expectAccessible(page);
  await page.screenshot({ path: 'test-results/connection-log.png', fullPage: true });
});
