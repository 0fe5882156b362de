/** Why a message was set aside, for people; the code stands beside it for those who look it up. */
const REASONS: Record<string, string> = {
  not_json: 'Not JSON',
  too_deep: 'Nested too deeply',
  too_large: 'Too large',
  too_many_values: 'Too many values',
  not_finite: 'A number that is not finite',
  time_out_of_range: 'Impossible time',
  unknown_unit: 'Unknown unit',
  wrong_type: 'Value of the wrong kind',
  bad_path: 'Bad name of a value',
  empty: 'Empty',
  handler_panicked: 'Broke the handler',
};

export function reasonInWords(code: string): string {
  return REASONS[code] ?? code.replaceAll('_', ' ');
}
