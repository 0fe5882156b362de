import { expect, rowOf, test } from './fixtures';
import { ask } from './graphql';

const NAMES = '{ patients(first: 50) { nodes { name mrn } } }';

test('a researcher sees values but no names, not even in what the browser is sent', async ({
  page,
  hospital,
  signIn,
}) => {
  const { patients } = await ask<{ patients: { nodes: { name: string; mrn: string }[] } }>(
    hospital,
    hospital.person('nurse'),
    NAMES,
  );
  expect(patients.nodes.length).toBeGreaterThan(3);
  const secrets = patients.nodes.flatMap(({ name, mrn }) => [name, mrn]);

  const received: string[] = [];
  page.on('response', async (response) => {
    if (response.url().endsWith('/graphql')) received.push(await response.text().catch(() => ''));
  });
  page.on('websocket', (socket) => {
    socket.on('framereceived', ({ payload }) => received.push(String(payload)));
  });

  await signIn(hospital.person('researcher'));
  const device = hospital.device(4);
  await page.goto(`${hospital.http}/ward`);
  await expect(rowOf(page, device.patient)).toContainText('Name hidden');
  await rowOf(page, device.patient).getByRole('link').click();
  await expect(page.getByRole('heading', { name: 'Name hidden' })).toBeVisible();
  await expect(page.getByText('MRN hidden')).toBeVisible();

  const all = received.join('\n') + (await page.content());
  for (const secret of secrets) expect(all).not.toContain(secret);
});
