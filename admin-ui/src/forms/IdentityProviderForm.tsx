import { Button, Checkbox, Group, PasswordInput, Select, Stack, Switch, TextInput } from '@mantine/core';
import { type UseFormReturnType, useForm } from '@mantine/form';
import { useMutation } from 'urql';
import {
  type ProviderFieldsFragment,
  SaveIdentityProviderDocument,
  TestIdentityProviderDocument,
  type UnitFieldsFragment,
} from '../api/generated/graphql';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import classes from './form.module.css';
import { GroupRoleFields } from './GroupRoleFields';
import {
  type ProviderValues,
  providerChecks,
  providerInput,
  providerValues,
} from './identity-provider-values';

interface IdentityProviderFormProps {
  /** Null to enrol one. */
  provider: ProviderFieldsFragment | null;
  roleNames: readonly string[];
  units: readonly UnitFieldsFragment[];
  onSaved: (provider: ProviderFieldsFragment) => void;
  onCancel: () => void;
}

export function IdentityProviderForm(props: IdentityProviderFormProps) {
  const { provider, roleNames, units, onSaved, onCancel } = props;
  const [{ fetching, error }, save] = useMutation(SaveIdentityProviderDocument);
  const form = useForm<ProviderValues>({ initialValues: providerValues(provider), validate: providerChecks });
  const submit = form.onSubmit(async (values) => {
    const { data } = await save({ input: providerInput(values, provider) });
    if (data) onSaved(data.saveIdentityProvider);
  });

  return (
    <form onSubmit={submit} noValidate aria-label="Identity provider">
      <Stack gap="md" maw={860}>
        <TextInput
          label="Name"
          description="The button of the sign-in page says “Continue with …”"
          withAsterisk
          {...form.getInputProps('name')}
        />
        <Issuer form={form} fixed={provider !== null} />
        <div className={classes.pair}>
          <TextInput label="Client id" withAsterisk {...form.getInputProps('clientId')} />
          <PasswordInput
            label="Client secret"
            description={
              provider?.hasClientSecret
                ? 'Leave empty to keep the one that there is'
                : 'If the provider gave you one'
            }
            autoComplete="off"
            disabled={form.values.withoutSecret}
            {...form.getInputProps('clientSecret')}
          />
        </div>
        {provider?.hasClientSecret && (
          <Checkbox
            label="Forget the client secret: the provider takes PKCE alone"
            {...form.getInputProps('withoutSecret', { type: 'checkbox' })}
          />
        )}
        <div className={classes.pair}>
          <TextInput
            label="Scopes"
            description="Asked for beside openid, with blanks between"
            {...form.getInputProps('scopes')}
          />
          <TextInput
            label="Claim with the groups"
            description="For example groups, or realm_access.roles"
            withAsterisk
            {...form.getInputProps('groupClaim')}
          />
        </div>
        <GroupRoleFields form={form} roleNames={roleNames} units={units} />
        <Select
          label="Everybody else"
          description="The role, in the whole hospital, of people without such a group"
          placeholder="is not let in"
          data={[...roleNames]}
          clearable
          {...form.getInputProps('defaultRole')}
        />
        <TextInput
          label="Audience of access tokens"
          description="Programs may then call the API with access tokens of this provider; empty to take none"
          {...form.getInputProps('apiAudience')}
        />
        <Switch
          label="People may sign in through it"
          {...form.getInputProps('enabled', { type: 'checkbox' })}
        />
        {error && <ErrorNotice error={error} />}
        <Group gap="sm">
          <Button type="submit" loading={fetching}>
            {provider ? 'Save provider' : 'Enrol provider'}
          </Button>
          <Button variant="default" onClick={onCancel}>
            Cancel
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** The address of the provider, with a button that asks it about itself. */
function Issuer({ form, fixed }: { form: UseFormReturnType<ProviderValues>; fixed: boolean }) {
  const [{ data, error, fetching }, ask] = useMutation(TestIdentityProviderDocument);
  const found = data?.testIdentityProvider;
  return (
    <div>
      <Group align="flex-end" gap="xs">
        <TextInput
          flex={1}
          label="Issuer"
          description={
            fixed
              ? 'Cannot be changed: people are known by it'
              : 'As “issuer” stands in its document /.well-known/openid-configuration'
          }
          withAsterisk
          readOnly={fixed}
          {...form.getInputProps('issuer')}
        />
        <Button
          variant="default"
          loading={fetching}
          disabled={!form.values.issuer.trim()}
          onClick={() => void ask({ issuer: form.values.issuer.trim() })}
        >
          Ask it
        </Button>
      </Group>
      {error && <ErrorNotice error={error} />}
      {found && !error && (
        <p role="status">
          It answers, and signs with {found.keys} {found.keys === 1 ? 'key' : 'keys'} known here. People sign
          in at <code>{found.authorizationEndpoint}</code>.{' '}
          {found.tellsOfLogout
            ? 'Who signs out there is signed out here.'
            : 'It does not tell when somebody signs out there.'}
        </p>
      )}
    </div>
  );
}
