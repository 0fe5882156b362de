/** Why signing in through an identity provider did not work, and what to do; the codes are the server's. */
const PROBLEMS: Record<string, string> = {
  'not-enrolled': 'This hospital has no such sign-in here, or it is switched off.',
  unreachable:
    'Your hospital’s sign-in cannot be reached at the moment. Try again in a moment; whoever has a password here can use it below.',
  over: 'This sign-in took too long, was finished before, or was begun in another browser. Start again.',
  cancelled: 'The sign-in was cancelled.',
  refused:
    'What your hospital’s sign-in answered was not accepted. Start again; if it stays so, tell your administrator.',
  email: 'Your hospital’s sign-in did not vouch for your e-mail address. Tell your administrator.',
  account:
    'Your e-mail address has an account here that is not linked with your hospital’s sign-in. Use its password, or tell your administrator.',
  'no-role': 'You have no role here yet. Ask your administrator for access.',
  suspended: 'Your hospital is suspended here. Ask whoever runs the platform.',
  busy: 'Too many people are signing in. Try again in a moment.',
};

export function problemInWords(code: string): string {
  return PROBLEMS[code] ?? 'Signing in did not work. Start again.';
}
