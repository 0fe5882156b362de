import '@mantine/core/styles.css';
import './ui/tokens.css';
import { MantineProvider } from '@mantine/core';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { router } from './routes/router';
import { nonce } from './ui/csp';
import { cssVariables, theme } from './ui/theme';

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');

createRoot(root).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      getStyleNonce={nonce}
      cssVariablesResolver={cssVariables}
    >
      <RouterProvider router={router} />
    </MantineProvider>
  </StrictMode>,
);
