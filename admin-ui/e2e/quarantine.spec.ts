import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import initSqlJs from 'sql.js';
import { publish } from './device';
import { expect, signInAt, test } from './fixtures';
import { type DemoDevice, type Hospital, startHospital } from './hospital';

/** In the words of the supervisor that gave up (`device/actor.rs`). */
const REASON = 'the twin failed 8 times within a minute';
const NOTICE = `In quarantine: ${REASON}. Its messages are stored`;

/** What a twin leaves behind that was put in quarantine before its server stopped: the first byte is the form of the state. */
async function quarantine(database: string, device: string): Promise<void> {
  const { Database } = await initSqlJs();
  const opened = new Database(readFileSync(database));
  const twin = "kind = 'device' AND id = $id";
  const [found] = opened.exec(`SELECT state FROM twins WHERE ${twin}`, { $id: device });
  const state = found?.values[0]?.[0] as Uint8Array;
  const json = JSON.parse(Buffer.from(state.subarray(1)).toString('utf8'));
  const changed = Buffer.from(JSON.stringify({ ...json, quarantine: REASON }));
  opened.run(`UPDATE twins SET quarantine = $reason, state = $state WHERE ${twin}`, {
    $id: device,
    $reason: REASON,
    $state: Buffer.concat([state.subarray(0, 1), changed]),
  });
  expect(opened.getRowsModified()).toBeGreaterThan(0);
  writeFileSync(database, opened.export());
  opened.close();
}

async function openDevice(page: Page, hospital: Hospital, device: DemoDevice, persona: 'admin' | 'nurse') {
  await signInAt(page, hospital, hospital.person(persona));
  await page.goto(`${hospital.http}/devices/${device.id}`);
  await expect(page.getByText(NOTICE)).toBeVisible();
}

test('a twin in quarantine is released by an admin and catches up with what it has missed', async ({
  page,
  browser,
}) => {
  const data = mkdtempSync(join(tmpdir(), 'iomt-quarantine-'));
  let hospital = await startHospital(data);
  try {
    const device = hospital.device(0);
    await publish(hospital, device, { heartRate: 61 });
    await hospital.stop();
    await quarantine(join(data, 'iomt.db'), device.id);
    hospital = await startHospital(data);

    for (const heartRate of [71, 74, 77]) await publish(hospital, device, { heartRate });
    const nurse = await browser.newContext();
    const herPage = await nurse.newPage();
    await openDevice(herPage, hospital, device, 'nurse');
    await expect(herPage.getByRole('button', { name: 'Release from quarantine' })).toHaveCount(0);
    await nurse.close();

    await openDevice(page, hospital, device, 'admin');
    const reading = page.getByRole('row').filter({ hasText: 'heartRate' });
    const latest = reading.filter({ hasNotText: 'telemetry' });
    await expect(latest).toContainText('61');
    // What it sent meanwhile is stored, and shown as it was sent.
    const sent = page.getByRole('region', { name: 'Last messages as they were sent' });
    for (const heartRate of [71, 74, 77]) await expect(sent).toContainText(`"heartRate":${heartRate}`);
    const folded = page.getByRole('region', { name: 'About the device' }).locator('dt:text("Messages") + dd');
    await expect(folded).toHaveText('1');

    await page.getByRole('button', { name: 'Release from quarantine' }).click();
    await expect(page.getByText(NOTICE)).toHaveCount(0);
    await expect(latest).toContainText('77');
    await expect(folded).toHaveText('4');
    await page.goto(`${hospital.http}/patients/${device.patient}`);
    await expect(page.locator('[data-sign="HEART_RATE"]')).toContainText('77');
  } finally {
    await hospital.stop();
    rmSync(data, { recursive: true, force: true });
  }
});
