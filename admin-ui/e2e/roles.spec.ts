import { expectAccessible } from './axe';
import { expect, test } from './fixtures';
import { ask } from './graphql';

test('an admin makes a role, is told what a change would come to, and sees why somebody sees a patient', async ({
  page,
  hospital,
  signIn,
}) => {
  const admin = hospital.person('admin');
  await signIn(admin);
  await page.getByRole('link', { name: 'Roles' }).click();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Copy Researcher' }).click();
  await page.getByLabel('Title').fill('Student');
  await page.getByLabel('Name').fill('student');
  const patients = page.getByRole('group', { name: 'Policy 3' });
  await expect(patients.getByLabel('in the rows where')).toHaveValue('not patient.restricted');
  await patients.getByLabel('in the rows where').fill('patient.wardd = "4 West"');
  await page.getByRole('button', { name: 'Add role' }).click();
  await expect(page.getByRole('alert')).toContainText('policies[2]: rows:');
  await patients.getByLabel('in the rows where').fill('not patient.restricted');
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Add role' }).click();
  const row = page.getByRole('row').filter({ hasText: 'Student' });
  await expect(row).toContainText('0 people');

  const { orgUnits, users } = await ask<{
    orgUnits: { id: string }[];
    users: { id: string; email: string }[];
  }>(hospital, admin, '{ orgUnits { id } users { id email } }');
  const integrator = users.find(({ email }) => email === hospital.person('integrator').email);
  const input = { user: integrator?.id, role: 'student', unit: orgUnits[0]?.id };
  await ask(hospital, admin, 'mutation ($input: RoleInput!) { grantRole(input: $input) { id } }', { input });
  await page.reload();
  await expect(row).toContainText('1 person');

  await page.getByRole('button', { name: 'Edit Student' }).click();
  await page.getByRole('button', { name: 'Add a policy' }).click();
  const last = page.getByRole('group', { name: 'Policy 5' });
  await last.getByRole('combobox', { name: 'a', exact: true }).click();
  await page.getByRole('option', { name: 'audit', exact: true }).click();
  await page.getByRole('button', { name: 'Try it' }).click();
  const told = page.getByRole('status', { name: 'What this would change' });
  await expect(told).toContainText('the access of one person');
  await expect(told.getByRole('row').filter({ hasText: 'audit:read' })).toContainText('noyes');
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Save role' }).click();
  await page.getByRole('button', { name: 'More about Student' }).click();
  await expect(row).toContainText('patient:read where not patient.restricted');
  await page.getByRole('button', { name: 'Remove Student' }).click();
  await expect(page.getByRole('alert')).toContainText('take them away first');

  await page.goto(`${hospital.http}/patients/${hospital.device(0).patient}`);
  await page.getByRole('link', { name: 'Who may see this' }).click();
  await page.getByRole('combobox', { name: 'Person' }).fill('researcher');
  await page.getByRole('option', { name: /researcher/i }).click();
  const why = page.getByRole('region', { name: 'Explanation' });
  await expect(why).toContainText('May read it, without patient.name, patient.mrn, patient.birth_date');
  await expect(why).toContainText('May not write it');
  await expect(why).toContainText('None of the roles has a policy for it.');
  await expectAccessible(page);
});
