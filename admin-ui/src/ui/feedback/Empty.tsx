import type { ReactNode } from 'react';
import classes from './feedback.module.css';

interface EmptyProps {
  title: string;
  /** Whether it is all that the page says; then its title is the page's. */
  alone?: boolean;
  children?: ReactNode;
}

export function Empty({ title, alone = false, children }: EmptyProps) {
  const Heading = alone ? 'h1' : 'h2';
  return (
    <div className={classes.empty}>
      <Heading>{title}</Heading>
      {children && <p>{children}</p>}
    </div>
  );
}
