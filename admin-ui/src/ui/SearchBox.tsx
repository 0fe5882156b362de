import { TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { SearchIcon } from './icons';

const PAUSE_MS = 200;

/** Tells what is searched for once the typing pauses. */
export function SearchBox({ label, onSearch }: { label: string; onSearch: (search: string) => void }) {
  const tell = useDebouncedCallback((value: string) => onSearch(value.trim()), PAUSE_MS);
  return (
    <TextInput
      type="search"
      aria-label={label}
      placeholder={label}
      leftSection={<SearchIcon />}
      w={260}
      onChange={(event) => tell(event.currentTarget.value)}
    />
  );
}
