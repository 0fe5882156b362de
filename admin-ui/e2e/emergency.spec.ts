import type { Page } from '@playwright/test';
import { expectAccessible } from './axe';
import { expect, rowOf, signInAt, test } from './fixtures';
import { ask } from './graphql';
import { type Hospital, startHospital } from './hospital';
import { setUpSecondFactor } from './second-factor';

/** A patient whose record is kept to a care team that has nobody in it. */
async function restrictedPatient(hospital: Hospital): Promise<{ id: string; mrn: string }> {
  const { patient: id } = hospital.device(0);
  const admin = hospital.person('admin');
  const { orgUnits, patient } = await ask<{
    orgUnits: { id: string; kind: string }[];
    patient: { mrn: string };
  }>(hospital, admin, 'query ($id: ID!) { orgUnits { id kind } patient(id: $id) { mrn } }', { id });
  const unit = orgUnits.find(({ kind }) => kind === 'WARD')?.id;
  const place = 'mutation ($input: PlacePatientInput!) { placePatient(input: $input) { id } }';
  await ask(hospital, admin, place, { input: { id, unit, restricted: true } });
  return { id, mrn: patient.mrn };
}

/** An auditor takes up an invitation of the administrator. */
async function inviteAuditor(page: Page, hospital: Hospital): Promise<void> {
  const admin = hospital.person('admin');
  const { orgUnits } = await ask<{ orgUnits: { id: string }[] }>(hospital, admin, '{ orgUnits { id } }');
  const { inviteUser } = await ask<{ inviteUser: { invitationToken: string } }>(
    hospital,
    admin,
    'mutation ($input: InviteUserInput!) { inviteUser(input: $input) { invitationToken } }',
    { input: { email: 'otto@st-elsewhere.example', role: 'auditor', unit: orgUnits[0]?.id } },
  );
  await page.goto(`${hospital.http}/invite?token=${inviteUser.invitationToken}`);
  await page.getByLabel('Your name').fill('Otto Auditor');
  await page.getByRole('textbox', { name: 'Password', exact: true }).fill('another password of length');
  await page.getByRole('textbox', { name: 'Password again' }).fill('another password of length');
  await page.getByRole('button', { name: 'Create and sign in' }).click();
  await expect(page.getByRole('navigation', { name: 'Main' })).toBeVisible();
}

async function openRecord(page: Page, mrn: string, code: string): Promise<void> {
  await page.getByLabel('Record number (MRN)').fill(mrn);
  await page.getByLabel('Why').fill('Brought in unconscious, nobody to ask');
  await page.getByLabel('Code of your second factor').fill(code);
  await page.getByRole('button', { name: 'Open this record' }).click();
}

test('a clinician opens a record in an emergency, closes it, and an auditor looks at it', async ({
  page,
  browser,
}) => {
  test.setTimeout(90_000);
  // Of its own: the clinician gets a second factor, which other journeys do not know.
  const hospital = await startHospital();
  try {
    const { id, mrn } = await restrictedPatient(hospital);
    await signInAt(page, hospital, hospital.person('clinician'));
    await expect(rowOf(page, hospital.device(1).patient)).toBeVisible();
    await expect(rowOf(page, id)).toHaveCount(0);
    await page.goto(`${hospital.http}/patients/${id}`);
    await expect(page.getByText('No such patient')).toBeVisible();

    await page.getByRole('button', { name: 'Open in an emergency' }).click();
    await expectAccessible(page);
    await openRecord(page, mrn, '000000');
    await expect(page.getByRole('alert')).toContainText('no second factor yet');
    const [first = '', second = ''] = await setUpSecondFactor(page, hospital);

    await page.goto(`${hospital.http}/ward`);
    await page.getByRole('searchbox', { name: 'Search patients' }).fill(mrn);
    await page.getByRole('button', { name: 'Open in an emergency' }).click();
    await expect(page.getByLabel('Record number (MRN)')).toHaveValue(mrn);
    await openRecord(page, `${mrn}0`, first);
    await expect(page.getByRole('alert')).toContainText('exactly this record number');
    // Codes count once.
    await openRecord(page, mrn, second);
    await expect(page.getByRole('heading', { name: 'ECG' })).toBeVisible();

    const banner = page.getByRole('region', { name: 'Emergency access' });
    await expect(banner).toContainText(/(29|30):\d\d left/);
    await expect(page.getByRole('region', { name: 'Opened in an emergency' })).toContainText(
      'Brought in unconscious',
    );
    await expectAccessible(page);
    await page.getByRole('link', { name: 'Ward', exact: true }).click();
    await expect(rowOf(page, id)).toBeVisible();
    await expect(banner).toBeVisible();

    const office = await browser.newContext();
    const auditor = await office.newPage();
    await inviteAuditor(auditor, hospital);
    await expect(auditor.getByRole('link', { name: 'Emergency' })).toContainText('1');

    await banner.getByRole('button', { name: 'Close record' }).click();
    await expect(banner).toBeHidden();
    await expect(rowOf(page, id)).toHaveCount(0);
    await page.goto(`${hospital.http}/patients/${id}`);
    await expect(page.getByText('No such patient')).toBeVisible();

    await auditor.getByRole('link', { name: 'Emergency' }).click();
    const waiting = auditor.getByRole('region', { name: 'To be reviewed' });
    await expect(waiting).toContainText('Demo clinician');
    await expect(waiting).toContainText('Brought in unconscious');
    await expectAccessible(auditor);
    await waiting.getByLabel('What you found').fill('Justified: the patient could not consent');
    await waiting.getByRole('button', { name: 'Reviewed' }).click();
    const done = auditor.getByRole('region', { name: 'Reviewed', exact: true });
    await expect(done).toContainText('Justified');
    await expect(done).toContainText('Otto Auditor');
    await expect(waiting).toContainText('Nothing waits for a review');
    await expect(auditor.getByRole('link', { name: 'Emergency' })).not.toContainText('1');

    await done.getByRole('link', { name: 'Who saw this record' }).click();
    const report = auditor.getByRole('table', { name: 'Who saw this record' });
    await expect(
      report.getByRole('row').filter({ hasText: 'Opened your record in an emergency' }).first(),
    ).toContainText('Demo clinician');
    const seen = report.getByRole('row').filter({ hasText: 'Saw your name' });
    await expect(seen.filter({ hasText: 'Brought in unconscious' }).first()).toBeVisible();
    await office.close();
  } finally {
    await hospital.stop();
  }
});
