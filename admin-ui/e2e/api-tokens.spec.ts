import { expectAccessible } from './axe';
import { expect, test } from './fixtures';
import { ask } from './graphql';

test('a token has a part of its owner’s rights, shows its use, and is refused once it is revoked', async ({
  page,
  hospital,
  signIn,
  request,
}) => {
  const { patient } = hospital.device(2);
  const { orgUnits } = await ask<{ orgUnits: { id: string; name: string; kind: string }[] }>(
    hospital,
    hospital.person('admin'),
    '{ orgUnits { id name kind } }',
  );
  const unit = orgUnits.find(({ kind }) => kind === 'WARD');
  const place = 'mutation ($input: PlacePatientInput!) { placePatient(input: $input) { id } }';
  await ask(hospital, hospital.person('admin'), place, { input: { id: patient, unit: unit?.id } });

  await signIn(hospital.person('nurse'));
  await page.getByRole('banner').getByRole('button', { name: /nurse/i }).click();
  await page.getByRole('menuitem', { name: 'API tokens' }).click();
  await page.getByRole('button', { name: 'New token' }).click();
  await page.getByLabel('What it is for').fill('Ward display');
  await expectAccessible(page);
  await page.getByRole('combobox', { name: 'In' }).click();
  await page.getByRole('option', { name: unit?.name ?? '' }).click();
  await page.getByRole('button', { name: 'Make the token' }).click();
  const secret = await page.getByLabel('Token for Ward display').inputValue();
  const row = page.getByRole('row').filter({ hasText: 'Ward display' });
  await expect(row).toContainText(`nurse in ${unit?.name}`);
  await expect(row).toContainText('never');
  await expectAccessible(page);

  const call = (query: string) =>
    request.post(`${hospital.http}/graphql`, {
      headers: { Authorization: `Bearer ${secret}` },
      data: { query },
    });
  const answer = await (await call('{ patients { nodes { id } } }')).json();
  expect(answer.data.patients.nodes).toEqual([{ id: patient }]);
  const made = await (await call('mutation { pairAuthenticator { uri } }')).json();
  expect(made.errors[0].extensions.code).toBe('FORBIDDEN');
  await page.reload();
  await expect(row).toContainText('ago');

  await row.getByRole('button', { name: 'Revoke Ward display' }).click();
  await expect(row).toHaveCount(0);
  expect((await call('{ viewer { email } }')).status()).toBe(401);

  await page.getByRole('banner').getByRole('button', { name: /nurse/i }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await expect(page.getByLabel('E-mail')).toBeVisible();
  await signIn(hospital.person('admin'));
  await page.getByRole('banner').getByRole('button', { name: /admin/i }).click();
  await page.getByRole('menuitem', { name: 'API tokens' }).click();
  await page.getByRole('button', { name: 'New token' }).click();
  await page.getByLabel('What it is for').fill('Lab interface');
  const topics = page.getByRole('combobox', { name: 'May use the MQTT topics' });
  await topics.fill('lab/#');
  await topics.press('Enter');
  const denied = page.getByRole('combobox', { name: 'But not' });
  await denied.fill('feed/alarms');
  await page.getByRole('button', { name: 'Make the token' }).click();
  await expect(page.getByText('not beginning with feed')).toBeVisible();
  await expectAccessible(page);
  await denied.press('Backspace');
  await denied.fill('lab/private');
  await page.getByRole('button', { name: 'Make the token' }).click();
  const lab = page.getByRole('row').filter({ hasText: 'Lab interface' });
  await expect(lab).toContainText('MQTT topics lab/#, but not lab/private');
  await expectAccessible(page);

  await page.getByRole('link', { name: 'People' }).click();
  await page.getByRole('link', { name: /API tokens of .*integrator/i }).click();
  await expect(page.getByRole('heading', { name: /API tokens of .*integrator/i })).toBeVisible();
  await expectAccessible(page);
});
