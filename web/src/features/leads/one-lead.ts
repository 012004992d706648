import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';

import { keys } from '@/api/keys';
import { leadQuery } from '@/api/lead';
import type { Lead } from '@/api/leads';
import { useLiveQueries } from '@/api/live';

type Options = {
  /** What a list knows of it already. */
  known?: Lead | undefined;
  /** The id is that of a lead that merged into another one. */
  onMerged: (survivor: string) => void;
};

/** One lead, kept up to date; an id that merged leads on to its survivor. */
export function useLead(id: string, { known, onMerged }: Options) {
  const query = useQuery({ ...leadQuery(id), placeholderData: known });
  const survivor = query.data !== undefined && query.data.id !== id ? query.data.id : null;
  useEffect(() => {
    if (survivor !== null) onMerged(survivor);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- leads on once for each id
  }, [survivor]);
  useLiveQueries(['leadUpdated', 'scoreMutation'], [keys.leads.one(id)], {
    when: (message) => 'leadId' in message && message.leadId === id,
  });
  return query;
}
