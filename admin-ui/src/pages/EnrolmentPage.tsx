import { Button, NativeSelect, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { type TypedDocumentNode, useMutation, useQuery } from 'urql';
import {
  EnrolmentDocument,
  type EnrolmentQuery,
  RevealEnrolmentKeyDocument,
  RevealNewcomerSecretDocument,
} from '../api/generated/graphql';
import { Empty } from '../ui/feedback/Empty';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { Loading } from '../ui/feedback/Loading';
import { OneTimeSecret } from '../ui/OneTimeSecret';
import page from '../ui/page.module.css';
import { useRefetchOnReconnect, useSignedIn } from '../ui/use-signed-in';
import { useTitle } from '../ui/use-title';

/** With what devices register themselves. */
export function EnrolmentPage() {
  useTitle('Enrolment');
  const [{ data, error, fetching }, refetch] = useQuery({ query: EnrolmentDocument });
  useRefetchOnReconnect(refetch);
  const { may } = useSignedIn();
  const tenant = data?.viewer.tenant;
  return (
    <div className={page.page}>
      <div className={page.head}>
        <h1>Enrolment</h1>
        <span className={page.note}>
          With what devices register themselves. Whoever has one of these secrets can add devices.
        </span>
      </div>
      {error && <ErrorNotice error={error} retry={() => refetch({ requestPolicy: 'network-only' })} />}
      {!data && fetching && <Loading rows={3} label="Loading enrolment" />}
      {!may('device:write') && (
        <Empty title="Not for your role">Only those who register devices see these secrets.</Empty>
      )}
      {data && tenant && may('device:write') && (
        <>
          <DevicesForThingsBoard idScope={tenant.idScope} templates={data.templates} />
          <DevicesForAzure idScope={tenant.idScope} />
        </>
      )}
    </div>
  );
}

interface DevicesForThingsBoardProps {
  idScope: string;
  templates: EnrolmentQuery['templates'];
}

function DevicesForThingsBoard({ idScope, templates }: DevicesForThingsBoardProps) {
  const [template, setTemplate] = useState(templates[0]?.id ?? '');
  return (
    <section className={page.panel} aria-label="Devices made for ThingsBoard">
      <h2>Devices made for ThingsBoard</h2>
      <Stack gap="sm" maw={720}>
        <NativeSelect
          label="A device that is not registered becomes"
          value={template}
          onChange={(event) => setTemplate(event.currentTarget.value)}
        >
          {templates.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
          <option value="">nothing: only registered ones get their token</option>
        </NativeSelect>
        <PublicPart label="Provision device key" value={template ? `${idScope}/${template}` : idScope} />
        <Secret
          label="Provision device secret"
          show={RevealNewcomerSecretDocument}
          of={(data) => data.revealNewcomerSecret}
        />
        <p className={page.note}>
          A device is given a token until it has connected for the first time. After that, only you give it
          another one.
        </p>
      </Stack>
    </section>
  );
}

function DevicesForAzure({ idScope }: { idScope: string }) {
  return (
    <section className={page.panel} aria-label="Devices made for Azure IoT">
      <h2>Devices made for Azure IoT</h2>
      <Stack gap="sm" maw={720}>
        <PublicPart label="ID scope" value={idScope} />
        <Secret
          label="Group key"
          show={RevealEnrolmentKeyDocument}
          of={(data) => data.revealEnrolmentKey}
          warning="Whoever has it can be any device: never put it into one."
        />
        <p className={page.note}>
          A device’s own key is the HMAC-SHA256 of its name with this key. Its model ID says which template it
          gets.
        </p>
      </Stack>
    </section>
  );
}

function PublicPart({ label, value }: { label: string; value: string }) {
  return <TextInput label={label} value={value} readOnly onFocus={(event) => event.currentTarget.select()} />;
}

interface SecretProps<Data> {
  label: string;
  show: TypedDocumentNode<Data, Record<string, never>>;
  of: (data: Data) => string;
  warning?: string;
}

/** What is shown to whoever asks for it, which stands in the audit trail then. */
function Secret<Data>({ label, show, of, warning = '' }: SecretProps<Data>) {
  const [{ data, error, fetching }, reveal] = useMutation(show);
  const description = `${warning} That you saw it is in the audit trail.`.trim();
  return (
    <div>
      {data ? (
        <OneTimeSecret label={label} secret={of(data)} description={description} />
      ) : (
        <Button variant="default" size="compact-sm" loading={fetching} onClick={() => reveal({})}>
          Show the {label.toLowerCase()}
        </Button>
      )}
      {error && <ErrorNotice error={error} detailed />}
    </div>
  );
}
