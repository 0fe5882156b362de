import { Button } from '@mantine/core';
import { inPlainWords } from '../../api/errors';
import classes from './feedback.module.css';

interface ErrorNoticeProps {
  error: unknown;
  /** Whether the server's own words say more than that it was refused. */
  detailed?: boolean;
  retry?: () => void;
}

/** What went wrong, in plain words, and a way to try again where that makes sense. */
export function ErrorNotice({ error, detailed = false, retry }: ErrorNoticeProps) {
  const { title, message, code } = inPlainWords(error, detailed);
  return (
    <div role="alert" className={classes.error} data-code={code}>
      <p>
        <strong>{title}.</strong> {message}
      </p>
      {retry && (
        <Button size="xs" variant="default" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}
