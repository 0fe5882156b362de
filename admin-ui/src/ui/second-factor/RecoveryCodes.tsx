import { Button, CopyButton, Group } from '@mantine/core';
import page from '../page.module.css';

/** Codes that are shown once, to be put where their owner finds them without their phone. */
export function RecoveryCodes({ codes, onKept }: { codes: readonly string[]; onKept: () => void }) {
  const text = codes.join('\n');
  return (
    <section className={page.panel} role="status" aria-label="Recovery codes">
      <h2>Recovery codes</h2>
      <p>
        Each lets you in once when you do not have your phone. They are shown only now: print them, or keep
        them in a password manager.
      </p>
      <ul className={page.mono}>
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <Group gap="xs">
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <Button variant="default" onClick={copy}>
              {copied ? 'Copied' : 'Copy'}
            </Button>
          )}
        </CopyButton>
        <Button variant="default" onClick={() => window.print()}>
          Print
        </Button>
        <Button onClick={onKept}>I have kept them</Button>
      </Group>
    </section>
  );
}
