import { ActionIcon, type MantineColorScheme, useMantineColorScheme } from '@mantine/core';
import { MoonIcon, SunIcon, SystemIcon } from '../icons';

const ORDER: MantineColorScheme[] = ['auto', 'light', 'dark'];
const WORDS: Record<MantineColorScheme, string> = { auto: 'as the system', light: 'light', dark: 'dark' };
const ICONS = { auto: SystemIcon, light: SunIcon, dark: MoonIcon };

export function ColorSchemeSwitch() {
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const next = ORDER[(ORDER.indexOf(colorScheme) + 1) % ORDER.length] ?? 'auto';
  const CurrentIcon = ICONS[colorScheme];
  const label = `Colours: ${WORDS[colorScheme]}. Switch to ${WORDS[next]}`;
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size="lg"
      aria-label={label}
      title={label}
      onClick={() => setColorScheme(next)}
    >
      <CurrentIcon size={18} />
    </ActionIcon>
  );
}
