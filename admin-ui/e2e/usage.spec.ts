import { expectAccessible } from './axe';
import { publish } from './device';
import { expect, signInAt, test } from './fixtures';
import { ask } from './graphql';
import { startHospital } from './hospital';

test('an operator says what a hospital may use, and its admin sees what it uses', async ({ page }) => {
  test.setTimeout(120_000);
  const hospital = await startHospital();
  try {
    await signInAt(page, hospital, hospital.operator);
    await page.getByRole('link', { name: /^Usage of St\. Elsewhere/ }).click();
    await expect(page.getByRole('heading', { name: /^Usage of St\. Elsewhere/ })).toBeVisible();
    const devices = page.getByRole('row', { name: /^Devices \d/ });
    await expect(devices).toContainText('100,000');
    await expect(page.getByText('Nothing had to wait')).toBeVisible();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Change the quotas' }).click();
    const form = page.getByRole('region', { name: 'Quotas' });
    await form.getByLabel('Devices').fill('0');
    await form.getByRole('button', { name: 'Save' }).click();
    await expect(form.getByText('Enter a whole number')).toBeVisible();
    await form.getByLabel('Devices').fill('250');
    await form.getByLabel('Query cost a minute').fill('4000');
    await form.getByLabel('Connected at once').fill('300');
    await form.getByLabel('Largest packet').fill('512');
    await form.getByLabel('Subscriptions').fill('16');
    await form.getByLabel('Days that messages are kept').fill('365');
    await form.getByRole('button', { name: 'Save' }).click();
    await expect(form.getByText('Enter a whole number, 1024 to 266240.')).toBeVisible();
    await form.getByLabel('Largest packet').fill('65536');
    await expectAccessible(page);
    await form.getByRole('button', { name: 'Save' }).click();
    await expect(form).toHaveCount(0);
    await expect(page.getByRole('row', { name: /^Devices and programs that are connected/ })).toContainText(
      '300',
    );
    await expect(page.getByText('packets of 65.5 kB')).toBeVisible();
    await expect(page.getByText('has 16 subscriptions')).toBeVisible();
    await expect(devices).toContainText('250');
    await expect(page.getByRole('row', { name: /^Messages that are kept/ })).toContainText('365 days');

    // A program that asks for more than there is in a minute is told so, and the admin reads of it.
    const nurse = hospital.person('nurse');
    const patients = '{ patients(first: 200) { nodes { id name } } }';
    const asked = async () => {
      try {
        await ask(hospital, nurse, patients);
        return 'answered';
      } catch (error) {
        return String(error);
      }
    };
    await expect.poll(asked).toContain('query cost a minute');
    hospital.iomt('tenant', 'quotas', '--slug', 'st-elsewhere', '--query-cost-per-minute', '1000000');
    await expect.poll(asked).toBe('answered');
    await page
      .getByRole('banner')
      .getByRole('button', { name: /operator/i })
      .click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await expect(page.getByLabel('E-mail')).toBeVisible();
    await signInAt(page, hospital, hospital.person('admin'));
    await page.getByRole('banner').getByRole('button', { name: /admin/i }).click();
    await page.getByRole('menuitem', { name: 'Usage of the hospital' }).click();
    await expect(page.getByText(/queries that were refused: \d+/)).toBeVisible();
    await expect(page.getByRole('row', { name: /^Query cost/ })).toContainText('1,000,000');
    await expect(page.getByText('None in the last 30 days')).toBeVisible();
    await publish(hospital, hospital.device(0), { heartRate: 72 });
    const days = page.getByRole('region', { name: 'Messages by day' });
    await expect(days.getByRole('row')).toHaveCount(2);
    await expect(days.getByRole('row').last()).toContainText(/^\d{4}-\d\d-\d\d\s*1$/);
    await expect(page.getByRole('button', { name: 'Change the quotas' })).toHaveCount(0);
    await expectAccessible(page);
  } finally {
    await hospital.stop();
  }
});
