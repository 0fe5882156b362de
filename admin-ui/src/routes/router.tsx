import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  parseSearchWith,
  redirect,
  stringifySearchWith,
} from '@tanstack/react-router';
import type { PolicyRowKind } from '../api/generated/graphql';
import { signedIn } from '../api/signed-in';
import { LoginPage } from '../pages/LoginPage';
import { NotFoundPage } from '../pages/NotFoundPage';
import { PageError } from '../pages/PageError';
import { AuthenticatedLayout, demandSession, passOnWhoIsSignedIn } from './authenticated';
import { loginSearch } from './login-search';
import { homeFor } from './sections';

const root = createRootRoute({
  component: Outlet,
  notFoundComponent: NotFoundRoot,
  errorComponent: PageError,
});

function NotFoundRoot() {
  return (
    <main>
      <NotFoundPage />
    </main>
  );
}

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: loginSearch,
  beforeLoad: passOnWhoIsSignedIn,
  component: LoginPage,
});

const setup = createRoute({
  getParentRoute: () => root,
  path: '/setup',
  validateSearch: (search: Record<string, unknown>): { token: string } => ({
    token: String(search.token ?? ''),
  }),
  component: lazyRouteComponent(() => import('../pages/SetupPage'), 'SetupPage'),
});

const invite = createRoute({
  getParentRoute: () => root,
  path: '/invite',
  validateSearch: (search: Record<string, unknown>): { token: string } => ({
    token: String(search.token ?? ''),
  }),
  component: lazyRouteComponent(() => import('../pages/InvitePage'), 'InvitePage'),
});

const authenticated = createRoute({
  getParentRoute: () => root,
  id: 'authenticated',
  beforeLoad: demandSession,
  component: AuthenticatedLayout,
});

const home = createRoute({
  getParentRoute: () => authenticated,
  path: '/',
  beforeLoad: () => {
    const current = signedIn.get();
    const to = current ? homeFor(current.viewer) : null;
    if (to) throw redirect({ to, replace: true });
  },
  component: NotFoundPage,
});

const ward = createRoute({
  getParentRoute: () => authenticated,
  path: '/ward',
  component: lazyRouteComponent(() => import('../pages/WardBoardPage'), 'WardBoardPage'),
});

const patient = createRoute({
  getParentRoute: () => authenticated,
  path: '/patients/$patientId',
  component: lazyRouteComponent(() => import('../pages/PatientPage'), 'PatientPage'),
});

const patientAccess = createRoute({
  getParentRoute: () => authenticated,
  path: '/patients/$patientId/access',
  component: lazyRouteComponent(() => import('../pages/PatientAccessPage'), 'PatientAccessPage'),
});

const alarms = createRoute({
  getParentRoute: () => authenticated,
  path: '/alarms',
  component: lazyRouteComponent(() => import('../pages/AlarmsPage'), 'AlarmsPage'),
});

const devices = createRoute({
  getParentRoute: () => authenticated,
  path: '/devices',
  component: lazyRouteComponent(() => import('../pages/DevicesPage'), 'DevicesPage'),
});

const device = createRoute({
  getParentRoute: () => authenticated,
  path: '/devices/$deviceId',
  component: lazyRouteComponent(() => import('../pages/DevicePage'), 'DevicePage'),
});

const rules = createRoute({
  getParentRoute: () => authenticated,
  path: '/rules',
  component: lazyRouteComponent(() => import('../pages/RulesPage'), 'RulesPage'),
});

const rule = createRoute({
  getParentRoute: () => authenticated,
  path: '/rules/$ruleId',
  component: lazyRouteComponent(() => import('../pages/RulePage'), 'RulePage'),
});

const audit = createRoute({
  getParentRoute: () => authenticated,
  path: '/audit',
  component: lazyRouteComponent(() => import('../pages/AuditPage'), 'AuditPage'),
});

const emergency = createRoute({
  getParentRoute: () => authenticated,
  path: '/emergency',
  component: lazyRouteComponent(() => import('../pages/EmergencyPage'), 'EmergencyPage'),
});

const elevations = createRoute({
  getParentRoute: () => authenticated,
  path: '/elevations',
  component: lazyRouteComponent(() => import('../pages/ElevationsPage'), 'ElevationsPage'),
});

const people = createRoute({
  getParentRoute: () => authenticated,
  path: '/people',
  component: lazyRouteComponent(() => import('../pages/PeoplePage'), 'PeoplePage'),
});

const units = createRoute({
  getParentRoute: () => authenticated,
  path: '/units',
  component: lazyRouteComponent(() => import('../pages/UnitsPage'), 'UnitsPage'),
});

const roles = createRoute({
  getParentRoute: () => authenticated,
  path: '/roles',
  component: lazyRouteComponent(() => import('../pages/RolesPage'), 'RolesPage'),
});

const access = createRoute({
  getParentRoute: () => authenticated,
  path: '/access',
  validateSearch: ({ row, id }: Record<string, unknown>): { row: PolicyRowKind; id: string } => ({
    row: row === 'DEVICE' || row === 'ALARM' ? row : 'PATIENT',
    id: String(id ?? ''),
  }),
  component: lazyRouteComponent(() => import('../pages/AccessPage'), 'AccessPage'),
});

const identityProviders = createRoute({
  getParentRoute: () => authenticated,
  path: '/identity-providers',
  component: lazyRouteComponent(() => import('../pages/IdentityProvidersPage'), 'IdentityProvidersPage'),
});

const tenants = createRoute({
  getParentRoute: () => authenticated,
  path: '/tenants',
  component: lazyRouteComponent(() => import('../pages/TenantsPage'), 'TenantsPage'),
});

const secondFactor = createRoute({
  getParentRoute: () => authenticated,
  path: '/second-factor',
  component: lazyRouteComponent(() => import('../pages/SecondFactorPage'), 'SecondFactorPage'),
});

const sessions = createRoute({
  getParentRoute: () => authenticated,
  path: '/sessions',
  validateSearch: ({ user }: Record<string, unknown>): { user?: string } =>
    typeof user === 'string' && user !== '' ? { user } : {},
  component: lazyRouteComponent(() => import('../pages/SessionsPage'), 'SessionsPage'),
});

const apiTokens = createRoute({
  getParentRoute: () => authenticated,
  path: '/api-tokens',
  validateSearch: ({ user }: Record<string, unknown>): { user?: string } =>
    typeof user === 'string' && user !== '' ? { user } : {},
  component: lazyRouteComponent(() => import('../pages/ApiTokensPage'), 'ApiTokensPage'),
});

const serviceClients = createRoute({
  getParentRoute: () => authenticated,
  path: '/service-clients',
  component: lazyRouteComponent(() => import('../pages/ServiceClientsPage'), 'ServiceClientsPage'),
});

const deviceAuthorities = createRoute({
  getParentRoute: () => authenticated,
  path: '/device-authorities',
  component: lazyRouteComponent(() => import('../pages/DeviceAuthoritiesPage'), 'DeviceAuthoritiesPage'),
});

const enrolment = createRoute({
  getParentRoute: () => authenticated,
  path: '/enrolment',
  component: lazyRouteComponent(() => import('../pages/EnrolmentPage'), 'EnrolmentPage'),
});

const usage = createRoute({
  getParentRoute: () => authenticated,
  path: '/usage',
  validateSearch: ({ tenant }: Record<string, unknown>): { tenant?: string } =>
    typeof tenant === 'string' && tenant !== '' ? { tenant } : {},
  component: lazyRouteComponent(() => import('../pages/UsagePage'), 'UsagePage'),
});

const graphiql = createRoute({
  getParentRoute: () => authenticated,
  path: '/graphiql',
  component: lazyRouteComponent(() => import('../pages/GraphiqlPage'), 'GraphiqlPage'),
});

export const router = createRouter({
  routeTree: root.addChildren([
    login,
    setup,
    invite,
    authenticated.addChildren([
      home,
      ward,
      patient,
      patientAccess,
      alarms,
      devices,
      device,
      rules,
      rule,
      audit,
      emergency,
      elevations,
      people,
      units,
      roles,
      access,
      identityProviders,
      tenants,
      secondFactor,
      sessions,
      apiTokens,
      deviceAuthorities,
      enrolment,
      serviceClients,
      usage,
      graphiql,
    ]),
  ]),
  defaultPreload: 'intent',
  // Parameters are text: a set-up token of digits must not become a number.
  parseSearch: parseSearchWith((value) => value),
  stringifySearch: stringifySearchWith(String),
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
