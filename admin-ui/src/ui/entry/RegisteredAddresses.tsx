import page from '../page.module.css';

/** What has to be entered at the provider; the back-channel address is known once the provider is enrolled. */
export function RegisteredAddresses({ slug, providerId }: { slug: string; providerId: string | null }) {
  const here = window.location.origin;
  const addresses = [
    ['Redirect URI', `${here}/auth/oidc/callback`],
    ['After signing out', `${here}/login`],
    [
      'Back-channel logout URI',
      providerId
        ? `${here}/auth/oidc/backchannel-logout/${slug}/${providerId}`
        : 'is shown here when the provider is enrolled',
    ],
  ] as const;
  return (
    <section className={page.panel} aria-label="To enter at the provider">
      <h2>To enter at the provider</h2>
      <dl className={page.facts}>
        {addresses.map(([what, address]) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd className={page.mono}>{address}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
