import { makeAuthority, uploadPem } from './authority';
import { expectAccessible } from './axe';
import { expect, test } from './fixtures';

test('an authority is added, proven as its page says, and revokes a certificate', async ({
  page,
  hospital,
  signIn,
}) => {
  const authority = makeAuthority('Biomedical engineering');
  await signIn(hospital.person('admin'));
  await page.getByRole('link', { name: 'Devices' }).click();
  await page.getByRole('link', { name: 'Certificate authorities' }).click();
  await expect(page.getByText('No certificate authorities')).toBeVisible();
  await page.getByRole('button', { name: 'Add an authority' }).click();
  const upload = (name: string) => uploadPem(page, authority.file(name));
  await upload('ca-key.pem');
  await page.getByRole('button', { name: 'Add it' }).click();
  await expect(page.getByRole('alert')).toContainText('private key');
  await upload('ca.pem');
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Add it' }).click();

  const panel = page.getByRole('region', { name: 'CN=Biomedical engineering' });
  await expect(panel).toContainText('nobody has proven to have its key');
  await expectAccessible(page);
  await upload('ca.pem');
  await panel.getByRole('button', { name: 'Prove it' }).click();
  await expect(panel.getByRole('alert')).toContainText('common name has to be');
  authority.run((await panel.locator('pre').textContent()) ?? '');
  await upload('proof.pem');
  await panel.getByRole('button', { name: 'Prove it' }).click();
  await expect(panel).toContainText('let in since');
  await expect(panel).toContainText('no list uploaded');

  authority.run(`openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=monitor-1" \
      -keyout device-key.pem -out device.csr
    openssl x509 -req -in device.csr -CA ca.pem -CAkey ca-key.pem -days 30 -out device.pem
    openssl ca -config ca.cnf -cert ca.pem -keyfile ca-key.pem -revoke device.pem
    openssl ca -config ca.cnf -cert ca.pem -keyfile ca-key.pem -gencrl -out list.pem
    openssl crl -in list.pem -outform DER -out list.crl`);
  await panel.getByRole('button', { name: 'New revocation list' }).click();
  await upload('list.crl');
  await panel.getByRole('button', { name: 'Put the list in force' }).click();
  await expect(panel).toContainText('1 certificate, list of');
  await expect(panel).toContainText('the next is due');
  await expectAccessible(page);

  await panel.getByRole('button', { name: 'Remove' }).click();
  await panel.getByRole('button', { name: 'Remove it' }).click();
  await expect(panel).toHaveCount(0);
  await page.getByRole('link', { name: 'Audit' }).click();
  await expect(page.getByText('authority.remove').first()).toBeVisible();
});

test('a device is given a certificate of its own, and loses it again', async ({ page, hospital, signIn }) => {
  const device = hospital.device(4);
  const maker = makeAuthority('Whoever made it');
  maker.run(`openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=${device.id}" \
      -days 30 -keyout own-key.pem -out own.pem`);
  await signIn(hospital.person('admin'));
  await page.goto(`${hospital.http}/devices/${device.id}`);
  const panel = page.getByRole('region', { name: 'Its own certificates' });
  await panel.getByRole('button', { name: 'Add a certificate' }).click();
  const upload = (name: string) => uploadPem(page, maker.file(name));
  await upload('ca.pem');
  await panel.getByRole('button', { name: 'Add it' }).click();
  await expect(panel.getByRole('alert')).toContainText(`common name has to be ${device.id}`);
  await upload('own.pem');
  await panel.getByRole('button', { name: 'Add it' }).click();
  await expect(panel).toContainText('Counts until');
  await expect(panel).toContainText('has not shown it yet');
  await expectAccessible(page);
  await panel.getByRole('button', { name: 'Remove' }).click();
  await panel.getByRole('button', { name: 'Remove it' }).click();
  await expect(panel).toContainText('None.');
});
