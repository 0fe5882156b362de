import { measured, publish } from './device';
import { expect, rowOf, test } from './fixtures';
import { ask, firstPush } from './graphql';

const VITALS = `query ($id: ID!) { patient(id: $id) { vitals { sign value } } }`;
const FOLLOW = `subscription ($ids: [ID!]) { vitals(patients: $ids) { patientId vitals { sign value } } }`;

interface Signs {
  vitals: { sign: string; value: number | null }[];
}

const heartRate = ({ vitals }: Signs) => vitals.find(({ sign }) => sign === 'HEART_RATE')?.value;

test('a reading reaches the board, the API and a subscriber; an alarm rises, is acknowledged and clears', async ({
  page,
  hospital,
  signIn,
}) => {
  const device = hospital.device(0);
  const nurse = hospital.person('nurse');
  const start = Date.now() - 20_000;
  await signIn(nurse);
  await expect(page.getByRole('heading', { name: 'Ward board' })).toBeVisible();
  const row = rowOf(page, device.patient);
  await expect(row).toBeVisible();

  const pushed = firstPush<{ vitals: Signs }>(
    hospital,
    nurse,
    FOLLOW,
    { ids: [device.patient] },
    ({ vitals }) => heartRate(vitals) === 72,
  );
  await publish(hospital, device, measured(start, 0, { heartRate: 72, spo2: 97, respiratoryRate: 14 }));
  await expect(row.locator('[data-sign="HEART_RATE"]')).toContainText('72');
  await expect(row.locator('[data-sign="OXYGEN_SATURATION"]')).toContainText('97');
  await pushed;
  const { patient } = await ask<{ patient: Signs }>(hospital, nurse, VITALS, { id: device.patient });
  expect(heartRate(patient)).toBe(72);
  await expect(row.getByText(/missing\)/)).toBeVisible();

  const notice = page.getByRole('region', { name: 'New alarms' }).getByRole('article');
  await expect(notice).toHaveCount(0);
  for (let second = 1; second <= 16; second += 3) {
    await publish(hospital, device, measured(start, second, { spo2: 85 }));
  }
  await expect(notice).toContainText('Low oxygen saturation');
  await expect(row).toContainText('Low oxygen saturation');

  await notice.getByRole('button', { name: /^Acknowledge/ }).click();
  await page.getByLabel('Note (optional)').fill('Probe refitted, watching.');
  await page.getByRole('button', { name: 'Acknowledge alarm' }).click();
  await expect(notice).toHaveCount(0);
  await expect(row).toContainText('acknowledged');

  await page.getByRole('link', { name: /^Alarms/ }).click();
  // Other journeys have alarms of their own; a row belongs to this one by its link.
  const alarm = rowOf(page, device.patient).filter({ hasText: 'Low oxygen saturation' });
  await expect(alarm).toContainText('Acknowledged by Demo nurse');
  await expect(alarm).toContainText('Probe refitted, watching.');

  await publish(hospital, device, measured(start, 19, { spo2: 97 }));
  await expect(alarm).toHaveCount(0);
  await page.getByText('All', { exact: true }).click();
  await expect(alarm).toContainText('Cleared');
  await expect(alarm).toContainText('Acknowledged by Demo nurse');
});

test('the patient page shows vitals, score, trend and the ECG as they come', async ({
  page,
  hospital,
  signIn,
}) => {
  const device = hospital.device(1);
  await publish(hospital, device, {
    heartRate: 88,
    temperature: 37.4,
    consciousness: 'A',
    supplementalOxygen: false,
  });
  await signIn(hospital.person('clinician'));
  await page.locator(`a[href="/patients/${device.patient}"]`).click();
  const tile = page.locator('dl [data-sign="HEART_RATE"]');
  await expect(tile).toContainText('88');
  await expect(page.getByRole('img', { name: 'ECG, no signal' })).toBeVisible();
  await expect(
    page.getByRole('img', { name: /^Heart rate over the last 30 minutes, 88 to 88/ }),
  ).toBeVisible();

  const samples = Array.from({ length: 125 }, (_, index) => Math.sin(index / 5));
  await publish(hospital, device, { heartRate: 93, ecg: { rate: 125, samples } });
  await expect(tile).toContainText('93');
  await expect(page.getByRole('img', { name: 'ECG, live' })).toBeVisible();
  await expect(
    page.getByRole('img', { name: /^Heart rate over the last 30 minutes, 88 to 93/ }),
  ).toBeVisible();
  const score = page.getByRole('row', { name: /^Temperature/ });
  await expect(score).toContainText('0');
  await expect(page.getByRole('row', { name: /missing/ })).not.toHaveCount(0);
});
