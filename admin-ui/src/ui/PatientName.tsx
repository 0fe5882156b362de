import classes from './patient-name.module.css';

/** A name, or plainly that it is hidden: an empty place would look like a missing name. */
export function PatientName({ name }: { name: string | null }) {
  if (name === null) return <span className={classes.hidden}>Name hidden</span>;
  return <span>{name}</span>;
}
