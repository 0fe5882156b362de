import { Button } from '@mantine/core';
import { inPlainWords } from '../../api/errors';
import classes from './feedback.module.css';

/** What went wrong, in plain words, and a way to try again where that makes sense. */
export function ErrorNotice({ error, retry }: { error: unknown; retry?: () => void }) {
  const { title, message, code } = inPlainWords(error);
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
