import { expectAccessible } from './axe';
import { expect, test } from './fixtures';

test('a program of the hospital’s own gets tokens with its secret until it is disabled', async ({
  page,
  hospital,
  signIn,
  request,
}) => {
  await signIn(hospital.person('admin'));
  await page.getByRole('link', { name: 'People' }).click();
  await page.getByRole('link', { name: 'Service clients' }).click();
  await expect(page.getByText('No service clients')).toBeVisible();
  await page.getByRole('button', { name: 'New client' }).click();
  await page.getByLabel('Which program it is').fill('EHR interface');
  await page.getByRole('combobox', { name: 'With the role' }).click();
  await page.getByRole('option', { name: 'integrator' }).click();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Make the client' }).click();
  const secretField = page.getByLabel('Secret of EHR interface');
  const secret = await secretField.inputValue();
  const row = page.getByRole('row').filter({ hasText: 'EHR interface' });
  await expect(row).toContainText('never');
  await expect(row).toContainText('may act');
  await expectAccessible(page);
  const told = (await page.getByRole('status', { name: 'Secret made' }).textContent()) ?? '';
  const id = /curl -u '([^:]+):SECRET'/.exec(told)?.[1] ?? '';

  const token = (secret: string) =>
    request.post(`${hospital.http}/oauth/token`, {
      headers: { Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
      form: { grant_type: 'client_credentials' },
    });
  const call = (bearer: string) =>
    request.post(`${hospital.http}/graphql`, {
      headers: { Authorization: `Bearer ${bearer}` },
      data: { query: '{ viewer { displayName roles { role } } devices { totalCount } }' },
    });
  const issued = await (await token(secret)).json();
  expect(issued).toMatchObject({ token_type: 'Bearer', expires_in: 900 });
  const seen = (await (await call(issued.access_token)).json()).data;
  expect(seen.viewer).toEqual({ displayName: 'EHR interface', roles: [{ role: 'integrator' }] });
  expect(seen.devices.totalCount).toBeGreaterThan(0);
  await page.reload();
  await expect(secretField).toHaveCount(0);
  await expect(row).toContainText('ago');

  await row.getByRole('button', { name: 'New secret for EHR interface' }).click();
  await row.getByRole('button', { name: 'Make a new secret' }).click();
  const renewed = await secretField.inputValue();
  expect(renewed).not.toBe(secret);
  expect((await token(secret)).status()).toBe(401);
  expect((await call(issued.access_token)).status()).toBe(401);
  const again = await (await token(renewed)).json();
  expect((await call(again.access_token)).status()).toBe(200);

  await row.getByRole('button', { name: 'Disable EHR interface' }).click();
  await expect(row).toContainText('disabled since');
  expect(await (await token(renewed)).json()).toMatchObject({ error: 'invalid_client' });
  expect((await call(again.access_token)).status()).toBe(401);
  await row.getByRole('button', { name: 'Enable EHR interface' }).click();
  await expect(row).toContainText('may act');
  expect((await token(renewed)).status()).toBe(200);

  await row.getByRole('button', { name: 'Remove EHR interface' }).click();
  await expectAccessible(page);
  await row.getByRole('button', { name: 'Remove it' }).click();
  await expect(row).toHaveCount(0);
  expect((await token(renewed)).status()).toBe(401);
  await page.getByRole('link', { name: 'Audit' }).click();
  await expect(page.getByText('client.remove').first()).toBeVisible();
});
