import { useQuery } from '@tanstack/react-query';
import { type ComponentProps, useId } from 'react';

import { modelInForceQuery, seenTypesQuery } from '@/api/events';
import { Input } from '@/components/ui/form';

/** A type of event: any name, with those that came before or that rules know as suggestions. */
export function EventTypeInput(props: Omit<ComponentProps<'input'>, 'list'>) {
  const id = useId();
  const types = useEventTypes();
  return (
    <>
      <Input autoComplete="off" spellCheck={false} maxLength={128} {...props} list={id} />
      <datalist id={id}>
        {types.map((type) => (
          <option key={type} value={type} />
        ))}
      </datalist>
    </>
  );
}

/** Types that have come and those that rules know, each once. */
export function useEventTypes(): string[] {
  const seen = useQuery(seenTypesQuery);
  const model = useQuery(modelInForceQuery);
  const known = model.data?.rules.filter(({ active }) => active) ?? [];
  return [...new Set([...(seen.data ?? []), ...known.map(({ eventType }) => eventType)])];
}
