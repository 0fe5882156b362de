import { Link } from '@tanstack/react-router';
import { now } from '../../api/clock';
import type { PatientOnBoardFragment } from '../../api/generated/graphql';
import { BackIcon } from '../icons';
import { WhoMaySee } from '../org/WhoMaySee';
import { PatientName } from '../PatientName';
import page from '../page.module.css';
import { useSignedIn } from '../use-signed-in';
import { News2Badge } from '../vitals/News2Badge';
import { usePatientVitals } from '../vitals/use-patient-vitals';
import classes from './patient.module.css';

export interface DeviceOfPatient {
  id: string;
  name: string;
  connected: boolean;
  quarantine: string | null;
}

interface PatientHeaderProps {
  patient: PatientOnBoardFragment;
  devices: readonly DeviceOfPatient[];
}

export function PatientHeader({ patient, devices }: PatientHeaderProps) {
  const { news2 } = usePatientVitals(patient.id, patient);
  const { may } = useSignedIn();
  return (
    <header className={classes.header}>
      <div>
        <Link to="/ward" className={page.back}>
          <BackIcon /> Ward board
        </Link>
        <h1>
          <PatientName name={patient.name} />
        </h1>
        <p className={classes.line}>
          <span>
            {patient.ward}, bed {patient.bed}
          </span>
          <span>{patient.mrn === null ? 'MRN hidden' : `MRN ${patient.mrn}`}</span>
          {patient.birthYear !== null && <span>{ageInWords(patient.birthYear)}</span>}
          {devices.map((device) => (
            <span key={device.id}>
              {may('device:read') ? (
                <Link to="/devices/$deviceId" params={{ deviceId: device.id }} className={page.link}>
                  {device.name}
                </Link>
              ) : (
                device.name
              )}{' '}
              (
              {device.quarantine !== null
                ? 'in quarantine'
                : device.connected
                  ? 'connected'
                  : 'not connected'}
              )
            </span>
          ))}
          <WhoMaySee row="PATIENT" id={patient.id} />
          {may('audit:read') && (
            <Link to="/patients/$patientId/access" params={{ patientId: patient.id }} className={page.link}>
              Who saw this record
            </Link>
          )}
        </p>
      </div>
      <News2Badge news2={news2} large />
    </header>
  );
}

/** Only the year is known, so the age is one of two. */
function ageInWords(birthYear: number): string {
  return `born ${birthYear}, about ${new Date(now()).getFullYear() - birthYear} years`;
}
