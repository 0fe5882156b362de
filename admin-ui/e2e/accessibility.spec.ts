import { expectAccessible } from './axe';
import { measured, publish } from './device';
import { expect, test } from './fixtures';
import type { Hospital } from './hospital';

/** Pages by who may open them, and what has to be there before axe looks. */
function pagesOf(hospital: Hospital) {
  const { id, patient } = hospital.device(5);
  return {
    clinician: [
      ['/ward', 'Ward board'],
      [`/patients/${patient}`, 'NEWS2'],
      ['/alarms', 'Alarms'],
      ['/devices', 'Devices'],
      [`/devices/${id}`, 'Latest readings'],
      ['/rules', 'Rules'],
    ],
    admin: [['/rules/new', 'New rule']],
    operator: [['/tenants', 'Hospitals']],
  } as const;
}

for (const colorScheme of ['light', 'dark'] as const) {
  test(`every page is accessible, ${colorScheme}`, async ({ page, hospital, signIn }) => {
    test.setTimeout(120_000);
    await page.emulateMedia({ colorScheme });
    const device = hospital.device(5);
    const start = Date.now() - 20_000;
    await publish(hospital, device, 'no JSON');
    for (const second of [0, 6, 12])
      await publish(hospital, device, measured(start, second, { spo2: 84, pulse: 1 }));

    await page.goto(`${hospital.http}/setup?token=guessed`);
    await expect(page.getByRole('alert')).toBeVisible();
    await expectAccessible(page);
    await page.goto(`${hospital.http}/login`);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByText('Enter your password.')).toBeVisible();
    await expectAccessible(page);

    const { clinician, admin, operator } = pagesOf(hospital);
    for (const [person, pages] of [
      [hospital.person('clinician'), clinician],
      [hospital.person('admin'), admin],
      [hospital.operator, operator],
    ] as const) {
      await page.context().clearCookies();
      await signIn(person);
      for (const [path, heading] of pages) {
        await page.goto(`${hospital.http}${path}`);
        await expect(page.getByRole('heading', { name: heading, exact: true })).toBeVisible();
        await expect(page.getByRole('status', { name: 'Loading' })).toHaveCount(0);
        await expectAccessible(page);
      }
    }
  });
}

test('the board and the alarms can be worked by keyboard alone', async ({ page, hospital, signIn }) => {
  const device = hospital.device(5);
  await signIn(hospital.person('clinician'));
  const board = page.getByRole('region', { name: 'Ward board' });
  await page.reload();
  await expect(board).toBeVisible();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
  await page.keyboard.press('Enter');
  await page.locator(`a[href="/patients/${device.patient}"]`).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Trends' })).toBeVisible();
});

test('colours follow the system until somebody chooses', async ({ page, hospital, signIn }) => {
  const scheme = () => page.locator('html').getAttribute('data-mantine-color-scheme');
  await page.emulateMedia({ colorScheme: 'dark' });
  await signIn(hospital.person('nurse'));
  expect(await scheme()).toBe('dark');
  await page.getByRole('button', { name: /^Colours: as the system/ }).click();
  await expect.poll(scheme).toBe('light');
  await page.reload();
  await expect(page.getByRole('button', { name: /^Colours: light/ })).toBeVisible();
  expect(await scheme()).toBe('light');
});
