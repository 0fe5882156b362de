import { CombinedError } from '@urql/core';
import { GraphQLError } from 'graphql';
import { describe, expect, it } from 'vitest';
import { errorCode, HttpError, inPlainWords } from './errors';

function graphqlError(code: string, message = 'internal wording') {
  return new CombinedError({ graphQLErrors: [new GraphQLError(message, { extensions: { code } })] });
}

describe('errors in plain words', () => {
  it.each([
    [graphqlError('FORBIDDEN'), 'FORBIDDEN'],
    [new CombinedError({ networkError: new Error('x'), response: { status: 503 } }), 'UNAVAILABLE'],
    [new CombinedError({ networkError: new TypeError('failed to fetch') }), 'OFFLINE'],
    [new HttpError(401, ''), 'UNAUTHENTICATED'],
    [new HttpError(418, ''), 'INTERNAL'],
    [new TypeError('failed to fetch'), 'OFFLINE'],
    [new Error('anything'), 'INTERNAL'],
  ])('%s is %s', (error, code) => {
    expect(errorCode(error)).toBe(code);
  });

  it.each(
    'UNAUTHENTICATED FORBIDDEN NOT_FOUND BAD_INPUT CONFLICT TOO_LARGE RATE_LIMITED UNAVAILABLE INTERNAL'.split(
      ' ',
    ),
  )('has words of its own for %s', (code) => {
    const { title, message } = inPlainWords(graphqlError(code, ''));
    expect(title).not.toContain(code);
    expect(message.length).toBeGreaterThan(10);
  });

  it("shows the server's words only where they help to correct the entry", () => {
    expect(inPlainWords(graphqlError('BAD_INPUT', 'unit "furlong" is not UCUM')).message).toContain(
      'furlong',
    );
    expect(inPlainWords(graphqlError('INTERNAL', 'row 7 of table x')).message).not.toContain('row 7');
  });
});
