/** The hospital in which an operator acts who was let in: of this tab, until it is closed. */

const KEY = 'iomt.act-in';

/** Its id, if any. */
export function actingIn(): string | null {
  return sessionStorage.getItem(KEY);
}

/** Goes on as somebody who acts in a hospital. Everything of before is forgotten with the page. */
export function enter(tenantId: string): void {
  sessionStorage.setItem(KEY, tenantId);
  window.location.assign('/');
}

/** Goes on as the operator that one is. */
export function leave(): void {
  sessionStorage.removeItem(KEY);
  window.location.assign('/tenants');
}
