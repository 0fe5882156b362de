import { CombinedError } from '@urql/core';

/** What went wrong in words for the person at the screen, and the code behind it. */
export interface PlainError {
  code: string;
  title: string;
  message: string;
}

/** `true`: the server's own message says what to correct and is worth showing; otherwise ours stands. */
const WORDS: Record<string, { title: string; message: string; showDetail?: boolean }> = {
  UNAUTHENTICATED: { title: 'Signed out', message: 'Your session has ended. Please sign in again.' },
  FORBIDDEN: { title: 'Not allowed', message: 'Your role does not permit this.' },
  NOT_FOUND: { title: 'Not found', message: 'It does not exist, or you may not see it.' },
  BAD_INPUT: { title: 'Please check your entry', message: 'Something in it is not valid.', showDetail: true },
  CONFLICT: {
    title: 'Not saved',
    message: 'It was changed while you were editing. Load the newest version and try again.',
    showDetail: true,
  },
  TOO_LARGE: { title: 'Too much at once', message: 'The request is larger than the server accepts.' },
  RATE_LIMITED: { title: 'Too many requests', message: 'Please wait a moment and try again.' },
  UNAVAILABLE: {
    title: 'Not available just now',
    message: 'The server is busy or starting. Please try again.',
  },
  OFFLINE: { title: 'No connection', message: 'The server cannot be reached. Check the network.' },
  BROKEN: { title: 'Something went wrong', message: 'This page cannot be shown. Please load it again.' },
  INTERNAL: { title: 'Something went wrong', message: 'The server could not do this. It has been recorded.' },
};

const CODE_OF_STATUS: Record<number, string> = {
  400: 'BAD_INPUT',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  413: 'TOO_LARGE',
  422: 'BAD_INPUT',
  429: 'RATE_LIMITED',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'UNAVAILABLE',
};

/** An answer of the plain HTTP surface that was no success; `detail` comes from its problem+json body. */
export class HttpError extends Error {
  readonly status: number;
  /** Says more than the status does. */
  readonly code: string | undefined;
  constructor(status: number, detail: string, code?: string) {
    super(detail);
    this.name = 'HttpError';
    this.status = status;
    this.code = code;
  }
}

/** A page that broke while it was drawn. */
export class PageBroken extends Error {}

export function errorCode(error: unknown): string {
  if (error instanceof PageBroken) return 'BROKEN';
  if (error instanceof HttpError) return CODE_OF_STATUS[error.status] ?? 'INTERNAL';
  if (error instanceof CombinedError) {
    const code = error.graphQLErrors[0]?.extensions.code;
    if (typeof code === 'string') return code;
    const status: unknown = (error.response as Response | undefined)?.status;
    if (typeof status === 'number' && status !== 200) return CODE_OF_STATUS[status] ?? 'INTERNAL';
    return error.networkError ? 'OFFLINE' : 'INTERNAL';
  }
  return error instanceof TypeError ? 'OFFLINE' : 'INTERNAL';
}

/** `detailed`: the server's own words are shown, also where they usually add nothing. */
export function inPlainWords(error: unknown, detailed = false): PlainError {
  const code = errorCode(error);
  const { title, message, showDetail } = WORDS[code] ?? { title: 'Something went wrong', message: code };
  const detail = showDetail || (detailed && code !== 'OFFLINE') ? detailOf(error) : '';
  return { code, title, message: detail || message };
}

function detailOf(error: unknown): string {
  if (error instanceof CombinedError) return error.graphQLErrors.map((each) => each.message).join(' ');
  return error instanceof Error ? error.message : '';
}
