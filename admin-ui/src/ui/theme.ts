import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core';

const petrol: MantineColorsTuple = [
  '#e6f5f8',
  '#d3e9ee',
  '#a5d2dc',
  '#74bac9',
  '#4fa6b9',
  '#389ab0',
  '#2a94ab',
  '#198096',
  '#0a6375',
  '#06576a',
];

/** The greys of the dark scheme, in the tint of the surfaces (tokens.css). */
const dark: MantineColorsTuple = [
  '#dbe4e9',
  '#b9c6ce',
  '#93a3ad',
  '#6b7c87',
  '#3a4953',
  '#2a363e',
  '#1a2329',
  '#161e24',
  '#0e1418',
  '#0a0f12',
];

/** Shades and autoContrast are chosen so that text on them keeps a contrast of 4.5 in light and dark. */
export const theme = createTheme({
  colors: { petrol, dark },
  primaryColor: 'petrol',
  primaryShade: { light: 8, dark: 9 },
  autoContrast: true,
  cursorType: 'pointer',
  defaultRadius: 'md',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  headings: { fontWeight: '600', sizes: { h1: { fontSize: '1.35rem' }, h2: { fontSize: '1.05rem' } } },
  respectReducedMotion: true,
});

/** Where Mantine's own greys and reds are too faint on our surfaces, it takes the palette of tokens.css. */
const readable = {
  '--mantine-color-dimmed': 'var(--ink-soft)',
  '--mantine-color-placeholder': 'var(--ink-faint)',
  '--mantine-color-error': 'var(--alarm-high)',
};

export const cssVariables: CSSVariablesResolver = () => ({ variables: {}, light: readable, dark: readable });
