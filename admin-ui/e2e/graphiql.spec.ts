import { expect, test } from './fixtures';

// The editor inside GraphiQL writes style attributes that the policy refuses (see src/ui/csp.ts); that the
// browser reports them is no fault of the page.
test('the API explorer works offline, under the policy', { tag: '@foreign-editor' }, async ({
  page,
  hospital,
  signIn,
}) => {
  const elsewhere: string[] = [];
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith('http') && origin !== hospital.http) elsewhere.push(request.url());
  });
  await signIn(hospital.person('integrator'));
  await page.getByRole('button', { name: 'Demo integrator' }).click();
  await page.getByRole('menuitem', { name: 'API explorer' }).click();
  await expect(page.locator('.view-line').first()).toContainText('query');
  await page.getByRole('button', { name: /execute/i }).click();
  await expect(page.getByRole('region', { name: /result/i })).toContainText('Demo integrator');
  expect(elsewhere).toEqual([]);
});
