import { useMutation, useQueryClient } from '@tanstack/react-query';

import { isApiError } from '@/api/errors';
import { keys } from '@/api/keys';
import { changeLead, keepLead, type LeadChanges } from '@/api/lead';
import type { Lead } from '@/api/leads';
import { toast, toastError } from '@/components/ui/toast';

/** Changes a lead: owner and status at once, the rest when the server has said yes. */
export function useChangeLead(lead: Lead) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (changes: LeadChanges) => changeLead(lead.id, changes),
    onMutate: ({ owner, status }) => {
      if (owner === undefined && status === undefined) return;
      keepLead(queries, {
        ...lead,
        ...(owner !== undefined && { owner }),
        ...(status != null && { status }),
      });
    },
    onSuccess: (changed) => keepLead(queries, changed),
    onError: () => keepLead(queries, lead),
    onSettled: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: keys.leads.one(lead.id) }),
        queries.invalidateQueries({ queryKey: keys.leads.lists, refetchType: 'none' }),
      ]),
  });
}

/** The same, told by a message that takes it back. */
export function useWorkOn(lead: Lead) {
  const change = useChangeLead(lead);
  return (changes: Pick<LeadChanges, 'owner' | 'status'>, said: string) => {
    const before = {
      ...(changes.owner !== undefined && { owner: lead.owner }),
      ...(changes.status !== undefined && { status: lead.status }),
    };
    change.mutate(changes, {
      onSuccess: () =>
        toast(said, {
          label: 'Undo',
          run: () => change.mutate(before, { onError: toastError }),
        }),
      onError: toastError,
    });
  };
}

/** What a refusal means for who edits a lead. */
export function conflictWords(error: unknown): string | null {
  if (isApiError(error, 'identifier_taken')) {
    return 'Another lead has this already. If both are one person, merge the two instead.';
  }
  if (isApiError(error, 'suppressed')) {
    return 'This person was erased and is kept out. An owner of the project can lift that.';
  }
  if (isApiError(error, 'conflict')) {
    return 'Somebody changed this lead in the meantime. Look at it again, then decide.';
  }
  return null;
}
