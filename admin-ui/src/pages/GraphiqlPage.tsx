import 'graphiql/setup-workers/vite';
// Not graphiql/style.css: it carries fonts inside data: addresses, which the content security policy refuses.
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { useComputedColorScheme } from '@mantine/core';
import { GraphiQL } from 'graphiql';
import { useMemo } from 'react';
import { applyRefusedStyles, permitStyleElements } from '../ui/csp';
import { useSignedIn } from '../ui/use-signed-in';
import { useTitle } from '../ui/use-title';
import classes from './graphiql.module.css';

permitStyleElements();

const FIRST_QUERY = `query Me {
  viewer {
    displayName
    roles {
      role
    }
    permissions
  }
}
`;

const keepStyled = (element: HTMLDivElement) => applyRefusedStyles(element);

/** The API explorer, bundled, so that it works without the internet; it may do what the viewer may do. */
export function GraphiqlPage() {
  useTitle('API explorer');
  const { session } = useSignedIn();
  const scheme = useComputedColorScheme('light');
  const fetcher = useMemo(
    () =>
      createGraphiQLFetcher({
        url: '/graphql',
        subscriptionUrl: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql/ws`,
        headers: { 'X-CSRF-Token': session.csrf },
      }),
    [session.csrf],
  );
  return (
    <div ref={keepStyled} className={classes.explorer}>
      <h1 className="visually-hidden">API explorer</h1>
      <GraphiQL
        fetcher={fetcher}
        defaultQuery={FIRST_QUERY}
        forcedTheme={scheme}
        defaultEditorToolsVisibility={false}
      />
    </div>
  );
}
