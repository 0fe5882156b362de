import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectAccessible } from './axe';
import { expect, signInAt, test } from './fixtures';
import { startHospital } from './hospital';
import { setUpSecondFactor } from './second-factor';

test('an operator exports a suspended hospital and lets it go', async ({ page }) => {
  test.setTimeout(120_000);
  const hospital = await startHospital();
  const folder = mkdtempSync(join(tmpdir(), 'iomt-export-'));
  try {
    await signInAt(page, hospital, hospital.operator);
    const [code] = await setUpSecondFactor(page, hospital);
    await page.goto(`${hospital.http}/tenants`);
    const row = page.getByRole('row').filter({ hasText: 'st-elsewhere' });
    await expect(row).toContainText('served');
    await expect(row).toContainText('no. 1');
    await row.getByRole('button', { name: /^Rotate the data key/ }).click();
    await expect(row).toContainText('no. 2');
    await row.getByRole('button', { name: /^Suspend/ }).click();
    await page.getByLabel('Why').fill('The contract ended');
    await page.getByRole('button', { name: 'Suspend it' }).click();
    await expect(row).toContainText('suspended for');
    await row.getByRole('button', { name: /^Let it go/ }).click();
    const panel = page.getByRole('region', { name: /^Let .* go$/ });
    await expect(panel).toContainText('Nothing was exported since it was suspended');
    await panel.getByLabel('Slug of the hospital').fill('st-mary');
    await panel.getByLabel('Why').fill('The contract ended');
    await panel.getByRole('button', { name: 'Delete everything' }).click();
    await expect(panel.getByText('Write st-elsewhere', { exact: true })).toBeVisible();
    await expect(panel.getByText('Export it first, or confirm')).toBeVisible();
    await expectAccessible(page);

    const to = join(folder, 'export');
    hospital.iomt('tenant', 'export', '--slug', 'st-elsewhere', '--to', to);
    const { files } = JSON.parse(readFileSync(join(to, 'manifest.json'), 'utf8'));
    expect(files['patients.jsonl'].lines).toBeGreaterThan(0);
    await page.reload();
    await row.getByRole('button', { name: /^Let it go/ }).click();
    await expect(panel).toContainText('Everything was exported');
    await panel.getByLabel('Slug of the hospital').fill('st-elsewhere');
    await panel.getByLabel('Why').fill('The contract ended');
    await panel.getByLabel('Code of your second factor').fill(code ?? '');
    await panel.getByRole('button', { name: 'Delete everything' }).click();
    await expect(row).toContainText('left, deleted');
    await expect(row).toContainText('none');
    await expectAccessible(page);
  } finally {
    await hospital.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
