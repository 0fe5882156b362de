import type { Page } from '@playwright/test';
import { expect } from './fixtures';
import type { Hospital } from './hospital';
import { totp } from './totp';

/** Sets up a second factor as its owner does, and returns the recovery codes, for which nobody has to wait. */
export async function setUpSecondFactor(page: Page, hospital: Hospital): Promise<string[]> {
  await page.goto(`${hospital.http}/second-factor`);
  await page.getByRole('button', { name: 'Set up' }).click();
  const key = await page.getByText(/^[A-Z2-7]{4}( [A-Z2-7]{1,4})+$/).innerText();
  await page.getByRole('textbox', { name: 'Code that the app shows' }).fill(totp(key));
  await page.getByRole('button', { name: 'Turn on' }).click();
  const told = page.getByRole('status', { name: 'Recovery codes' }).getByRole('listitem');
  await expect(told).toHaveCount(10);
  const codes = await told.allInnerTexts();
  await page.getByRole('button', { name: 'I have kept them' }).click();
  return codes;
}
