import { Group, Select, TextInput } from '@mantine/core';
import type { GetInputPropsReturnType } from '@mantine/form';

/** Where a hospital is; each may be empty. */
export interface LocalityValues {
  region: string;
  locale: string;
  timeZone: string;
}

/** As the browser of whoever fills it in has it. */
export function hereabouts(): LocalityValues {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  return { region: '', locale: navigator.language, timeZone };
}

export const localityRules = {
  region: (value: string) => (/^([a-z]{2})?$/i.test(value.trim()) ? null : 'Use two letters, such as DE.'),
  locale: (value: string) =>
    /^([a-z]{2,3}(-[a-z0-9]+)*)?$/i.test(value.trim()) ? null : 'Use a language tag, such as de-DE.',
};

/** As the API takes it. */
export function localityInput({ region, locale, timeZone }: LocalityValues) {
  return { region: region.trim() || null, locale: locale.trim() || null, timeZone: timeZone || null };
}

const ZONES = ['UTC', ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')];

interface LocalityForm {
  getInputProps: (path: keyof LocalityValues) => GetInputPropsReturnType;
  key: (path: keyof LocalityValues) => string;
}

/** Country, language and time zone of a hospital. */
export function LocalityFields({ form }: { form: LocalityForm }) {
  return (
    <Group align="flex-start" grow>
      <TextInput
        label="Country"
        description="Its code of two letters, such as DE"
        inputWrapperOrder={['label', 'input', 'description', 'error']}
        key={form.key('region')}
        {...form.getInputProps('region')}
      />
      <TextInput
        label="Language"
        description="How its dates are written, such as de-DE"
        inputWrapperOrder={['label', 'input', 'description', 'error']}
        key={form.key('locale')}
        {...form.getInputProps('locale')}
      />
      <Select
        label="Time zone"
        description="In which its people see times"
        inputWrapperOrder={['label', 'input', 'description', 'error']}
        searchable
        clearable
        placeholder="As the browser has it"
        data={ZONES}
        key={form.key('timeZone')}
        {...form.getInputProps('timeZone')}
      />
    </Group>
  );
}
