import { test as base, expect, type Page } from '@playwright/test';
import { type Hospital, type Person, startHospital } from './hospital';

interface Fixtures {
  /** Signs in through the login page, as a person does. */
  signIn: (person: Person) => Promise<void>;
  /** Fails the journey when a page broke a script or the content security policy. */
  quietConsole: undefined;
}

export const test = base.extend<Fixtures, { hospital: Hospital }>({
  hospital: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the first parameter's names.
    async ({}, use) => {
      const hospital = await startHospital();
      await use(hospital);
      await hospital.stop();
    },
    { scope: 'worker', timeout: 90_000 },
  ],

  signIn: async ({ page, hospital }, use) => {
    await use((person) => signInAt(page, hospital, person));
  },

  quietConsole: [
    async ({ page }, use, info) => {
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(error.message));
      page.on('console', (message) => {
        if (/Content Security Policy/i.test(message.text())) problems.push(message.text());
      });
      await use(undefined);
      const foreign = info.tags.includes('@foreign-editor');
      expect(foreign ? [] : problems).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

export async function signInAt(page: Page, hospital: Hospital, { email, password }: Person): Promise<void> {
  await page.goto(`${hospital.http}/login`);
  await page.getByLabel('E-mail').fill(email);
  await page.getByRole('textbox', { name: 'Password' }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('navigation', { name: 'Main' })).toBeVisible();
  await expect(page.getByText('Connection: Live')).toBeAttached();
}

/** The rows of a table that lead to a patient: on the ward board there is one. */
export function rowOf(page: Page, patientId: string) {
  return page.getByRole('row').filter({ has: page.locator(`a[href="/patients/${patientId}"]`) });
}
