import { Button, Menu } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { leave } from '../../api/acting';
import { end } from '../../api/signed-in';
import { heldRole } from '../org/held-role';
import { useSignedIn } from '../use-signed-in';

function OwnAccount() {
  const { viewer, may } = useSignedIn();
  return (
    <>
      <Menu.Label c="var(--ink-soft)">
        {viewer.email} · {viewer.roles.map(heldRole).join(', ')}
      </Menu.Label>
      <Menu.Item component={Link} to="/second-factor">
        Second factor
      </Menu.Item>
      <Menu.Item component={Link} to="/sessions">
        Your sessions
      </Menu.Item>
      <Menu.Item component={Link} to="/api-tokens">
        API tokens
      </Menu.Item>
      {may('settings:read') && (
        <Menu.Item component={Link} to="/usage">
          Usage of the hospital
        </Menu.Item>
      )}
      <Menu.Item component={Link} to="/graphiql">
        API explorer
      </Menu.Item>
    </>
  );
}

export function AccountMenu() {
  const { viewer } = useSignedIn();
  return (
    <Menu position="bottom-end" shadow="md" width={240}>
      <Menu.Target>
        <Button variant="subtle" color="gray" size="compact-md" c="var(--ink)">
          {viewer.displayName}
        </Button>
      </Menu.Target>
      <Menu.Dropdown aria-label="Account">
        {viewer.acting ? (
          <>
            <Menu.Label c="var(--ink-soft)">let in as {viewer.acting.role}</Menu.Label>
            <Menu.Item onClick={leave}>Leave {viewer.tenant?.name}</Menu.Item>
          </>
        ) : (
          <OwnAccount />
        )}
        <Menu.Item onClick={() => void end()}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
