import { expectAccessible } from './axe';
import { expect, test } from './fixtures';

test('an admin adds a ward, invites a nurse to it, and takes the role away again', async ({
  page,
  browser,
  hospital,
  signIn,
}) => {
  await signIn(hospital.person('admin'));
  await page.getByRole('link', { name: 'Units' }).click();
  await page.getByRole('button', { name: 'New unit' }).click();
  await page.getByLabel('Name').fill('5 North');
  await page.getByRole('combobox', { name: 'Belongs to' }).click();
  await page.getByRole('option', { name: 'Medicine', exact: true }).click();
  await page.getByRole('button', { name: 'Save unit' }).click();
  await expect(page.getByRole('row').filter({ hasText: '5 North' })).toContainText('ward');
  await expectAccessible(page);
  await page.getByRole('searchbox', { name: 'Search units' }).fill('5 n');
  await expect(page.getByRole('row')).toHaveCount(2);
  await expect(page.getByRole('row').last()).toContainText('Medicine › 5 North');
  await page.getByRole('searchbox', { name: 'Search units' }).fill('');
  await page.getByRole('button', { name: 'Remove Medicine' }).click();
  await expect(page.getByRole('alert')).toContainText('units below it');

  await page.getByRole('link', { name: 'People' }).click();
  await page.getByRole('button', { name: 'Invite somebody' }).click();
  await page.getByRole('textbox', { name: 'E-mail' }).fill('nina@st-elsewhere.example');
  await page.getByRole('combobox', { name: 'Role' }).click();
  await page.getByRole('option', { name: 'nurse', exact: true }).click();
  await page.getByRole('combobox', { name: 'In' }).click();
  await page.getByRole('option', { name: 'Medicine › 5 North' }).click();
  await page.getByRole('button', { name: 'Make the link' }).click();
  const link = await page.getByLabel('Link for nina@st-elsewhere.example').inputValue();
  await expectAccessible(page);

  const ward = await browser.newContext();
  const nurse = await ward.newPage();
  await nurse.goto(link);
  await nurse.getByLabel('Your name').fill('Nina Nurse');
  await nurse.getByRole('textbox', { name: 'Password', exact: true }).fill('another password of length');
  await nurse.getByRole('textbox', { name: 'Password again' }).fill('another password of length');
  await nurse.getByRole('button', { name: 'Create and sign in' }).click();
  // Her ward is empty: the patients of the others are none of her business.
  await expect(nurse.getByText('No patients yet')).toBeVisible();
  await nurse.getByRole('button', { name: 'Nina Nurse' }).click();
  await expect(nurse.getByText('nina@st-elsewhere.example · nurse in 5 North')).toBeVisible();

  await page.reload();
  await page.getByRole('button', { name: 'Change roles of Nina Nurse' }).click();
  await page.getByRole('button', { name: 'Take away nurse in 5 North' }).click();
  await expect(page.getByRole('row').filter({ hasText: 'Nina Nurse' })).toContainText('no role');
  await nurse.reload();
  await expect(nurse.getByRole('link', { name: 'Ward' })).toHaveCount(0);
  await ward.close();

  await page.getByRole('button', { name: 'Change roles of Demo admin' }).click();
  await page.getByRole('button', { name: 'Take away admin' }).click();
  await expect(page.getByRole('alert')).toContainText('last administrator');
});
