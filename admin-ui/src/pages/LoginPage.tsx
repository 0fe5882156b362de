import { Divider, Stack } from '@mantine/core';
import { Link, useNavigate, useRouter, useSearch } from '@tanstack/react-router';
import { begin } from '../api/signed-in';
import classes from '../forms/form.module.css';
import { HospitalForm } from '../forms/HospitalForm';
import { LoginForm } from '../forms/LoginForm';
import { opens } from '../routes/sections';
import { EntryFrame } from '../ui/EntryFrame';
import { HospitalSignIn } from '../ui/entry/HospitalSignIn';
import { problemInWords } from '../ui/entry/problems';
import { useTitle } from '../ui/use-title';

export function LoginPage() {
  useTitle('Sign in');
  const { next, hospital, problem } = useSearch({ from: '/login' });
  const navigate = useNavigate();
  const { history } = useRouter();
  return (
    <EntryFrame title="Sign in" line="Devices, patients and alarms of your hospital.">
      <Stack gap="md">
        {problem && (
          <p role="alert" className={classes.wrong}>
            {problemInWords(problem)}
          </p>
        )}
        {hospital === '' && (
          <HospitalForm
            onHospital={(slug) =>
              void navigate({ to: '/login', search: { ...(next && { next }), hospital: slug } })
            }
          />
        )}
        {hospital && <HospitalSignIn hospital={hospital} next={next} />}
        {hospital !== undefined && <Divider label="or with a password" />}
        <LoginForm
          onSession={async (session) => {
            const { viewer } = await begin(session);
            // Whoever was here before may have seen more.
            if (next && opens(viewer, next)) history.replace(next);
            else await navigate({ to: '/', replace: true });
          }}
        />
        {!hospital && hospital !== '' && (
          <Link to="/login" search={{ ...(next && { next }), hospital: '' }}>
            Sign in with your hospital
          </Link>
        )}
      </Stack>
    </EntryFrame>
  );
}
