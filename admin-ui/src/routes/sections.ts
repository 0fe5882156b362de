import type { Viewer } from '../api/signed-in';

/** The parts of the UI and the permission that opens each; what a viewer sees follows from nothing else. */
const SECTIONS = [
  { to: '/ward', label: 'Ward', permission: 'patient:read' },
  { to: '/alarms', label: 'Alarms', permission: 'alarm:read' },
  { to: '/devices', label: 'Devices', permission: 'device:read' },
  { to: '/rules', label: 'Rules', permission: 'rule:read' },
  { to: '/people', label: 'People', permission: 'user:read' },
  { to: '/units', label: 'Units', permission: 'org_unit:write' },
  { to: '/roles', label: 'Roles', permission: 'role:read' },
  { to: '/identity-providers', label: 'Sign-in', permission: 'identity_provider:read' },
  { to: '/audit', label: 'Audit', permission: 'audit:read' },
  { to: '/emergency', label: 'Emergency', permission: 'audit:read' },
  { to: '/elevations', label: 'Operators', permission: 'elevation:read' },
  { to: '/tenants', label: 'Hospitals', permission: 'tenant:read' },
] as const;

export type Section = (typeof SECTIONS)[number];

/** Without a tenant there are no wards to see, only the hospitals themselves; with one, only its own. */
export function sectionsFor({ permissions, tenant }: Pick<Viewer, 'permissions' | 'tenant'>): Section[] {
  return SECTIONS.filter(
    ({ to, permission }) => permissions.includes(permission) && (to === '/tenants') === (tenant === null),
  );
}

/** Where a viewer lands after signing in; null when the role opens nothing. */
export function homeFor(viewer: Pick<Viewer, 'permissions' | 'tenant'>): Section['to'] | null {
  return sectionsFor(viewer)[0]?.to ?? null;
}

/** Whether a viewer's role opens the section that an address lies in; outside of sections the page itself tells. */
export function opens(viewer: Pick<Viewer, 'permissions' | 'tenant'>, href: string): boolean {
  const [path = ''] = href.split(/[?#]/);
  const section = SECTIONS.find(({ to }) => path === to || path.startsWith(`${to}/`));
  return !section || sectionsFor(viewer).includes(section);
}
