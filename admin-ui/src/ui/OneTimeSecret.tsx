import { Button, CopyButton, Group, TextInput } from '@mantine/core';

const ONCE = 'It is shown only now. Whoever has it has the rights that come with it.';

interface OneTimeSecretProps {
  label: string;
  secret: string;
  description?: string;
}

/** A secret that is shown once: to be copied to where it is used. */
export function OneTimeSecret({ label, secret, description = ONCE }: OneTimeSecretProps) {
  return (
    <Group align="flex-end" gap="xs">
      <TextInput
        label={label}
        description={description}
        inputWrapperOrder={['label', 'input', 'description']}
        value={secret}
        readOnly
        flex={1}
        onFocus={(event) => event.currentTarget.select()}
      />
      <CopyButton value={secret}>
        {({ copied, copy }) => (
          <Button variant="default" onClick={copy} mb="1.2rem">
            {copied ? 'Copied' : 'Copy'}
          </Button>
        )}
      </CopyButton>
    </Group>
  );
}
