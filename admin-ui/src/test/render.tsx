import { MantineProvider } from '@mantine/core';
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  RouterContextProvider,
} from '@tanstack/react-router';
import { type RenderResult, render } from '@testing-library/react';
import { Client, type Exchange, makeResult } from '@urql/core';
import type { ReactNode } from 'react';
import { Provider } from 'urql';
import { map, pipe } from 'wonka';
import { initialConnection } from '../api/connection';
import type { OpenRecord } from '../api/emergencies';
import { createAlarmFeed } from '../api/feed/alarms';
import { createVitalsFeed } from '../api/feed/vitals';
import type { SignedIn } from '../api/signed-in';
import { createStore } from '../api/store';
import { theme } from '../ui/theme';
import { SignedInContext } from '../ui/use-signed-in';
import { NOON } from './samples';

/** What the server would answer to an operation of this name. */
export type Answers = (
  name: string,
  variables: unknown,
) => { data?: unknown; errors?: { message: string; extensions?: object }[] };

interface World {
  permissions?: string[];
  answers?: Answers;
}

/** A signed-in person with real feeds and a client whose answers the test gives. */
export function signedInWith({ permissions = [], answers = () => ({}) }: World): SignedIn {
  const answering: Exchange = () => (operations) =>
    pipe(
      operations,
      map((operation) => {
        const definition = operation.query.definitions.find((each) => each.kind === 'OperationDefinition');
        const name = definition && 'name' in definition ? (definition.name?.value ?? '') : '';
        return makeResult(operation, {
          hasNext: false,
          data: null,
          ...answers(name, operation.variables),
        } as never);
      }),
    );
  return {
    session: { csrf: 'c', email: 'nora@example.org', displayName: 'Nora' },
    viewer: {
      id: 'u',
      email: 'nora@example.org',
      displayName: 'Nora',
      roles: [{ role: 'nurse', until: null, unit: { id: 't', name: 'St. Elsewhere', parentId: null } }],
      permissions,
      tenant: null,
      acting: null,
    },
    client: new Client({ url: '/graphql', exchanges: [answering], preferGetMethod: false }),
    connection: createStore(initialConnection(NOON)),
    vitals: createVitalsFeed((flush) => flush()),
    alarms: createAlarmFeed((flush) => flush()),
    emergencies: {
      open: createStore<readonly OpenRecord[]>([]),
      unreviewed: createStore(0),
      load: async () => {},
      close: () => {},
    },
    operators: { waiting: createStore(0), load: async () => {}, close: () => {} },
    may: (permission) => permissions.includes(permission),
    close: () => {},
  };
}

export function renderIn(signedIn: SignedIn, children: ReactNode): RenderResult {
  const root = createRootRoute();
  const paths = ['/alarms', '/patients/$patientId'].map((path) =>
    createRoute({ getParentRoute: () => root, path }),
  );
  const router = createRouter({ routeTree: root.addChildren(paths), history: createMemoryHistory() });
  return render(
    <RouterContextProvider router={router as never}>
      <MantineProvider theme={theme} env="test">
        <SignedInContext value={signedIn}>
          <Provider value={signedIn.client}>{children}</Provider>
        </SignedInContext>
      </MantineProvider>
    </RouterContextProvider>,
  );
}
