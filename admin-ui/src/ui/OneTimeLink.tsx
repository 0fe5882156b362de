import { Button, CopyButton, Group, TextInput } from '@mantine/core';

/** A link that is shown once: to be copied and handed to the one whom it is for. */
export function OneTimeLink({ label, href }: { label: string; href: string }) {
  return (
    <Group align="flex-end" gap="xs">
      <TextInput
        label={label}
        description="It is shown only now, works once, and for seven days."
        inputWrapperOrder={['label', 'input', 'description']}
        value={href}
        readOnly
        flex={1}
        onFocus={(event) => event.currentTarget.select()}
      />
      <CopyButton value={href}>
        {({ copied, copy }) => (
          <Button variant="default" onClick={copy} mb="1.2rem">
            {copied ? 'Copied' : 'Copy link'}
          </Button>
        )}
      </CopyButton>
    </Group>
  );
}

/** The address of an invitation on this installation. */
export const invitationLink = (token: string): string =>
  `${window.location.origin}/invite?token=${encodeURIComponent(token)}`;
