import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { type Lead, leadSearchQuery } from '@/api/leads';
import { StageBadge } from '@/components/ui/badge';
import { Field, Input } from '@/components/ui/form';
import { Avatar, PersonName } from '@/components/ui/person';
import { Skeleton } from '@/components/ui/states';
import { messageOf } from '@/api/errors';
import { useSettled } from '@/lib/hooks';

/** Finds one lead by name, email or company. */
export function LeadPicker({
  label = 'Find a lead',
  onPick,
}: {
  label?: string;
  onPick: (lead: Lead) => void;
}) {
  const [q, setQ] = useState('');
  const asked = useSettled(q.trim());
  const found = useQuery(leadSearchQuery(asked));
  const leads = asked.length < 2 ? [] : (found.data?.leads ?? []);
  return (
    <div className="flex min-w-0 flex-col gap-2">
      <Field
        label={label}
        hint={asked.length < 2 ? 'Two letters or more of a name, email or company.' : undefined}
      >
        <Input
          type="search"
          value={q}
          autoComplete="off"
          placeholder="Search leads"
          onChange={(event) => setQ(event.target.value)}
        />
      </Field>
      {asked.length >= 2 && (
        <div role="group" aria-label="Leads found" aria-busy={found.isFetching}>
          {found.isPending && <Skeleton className="h-10" />}
          {found.isError && <p className="text-sm text-danger-text">{messageOf(found.error)}</p>}
          {leads.map((lead) => (
            <button
              key={lead.id}
              type="button"
              className="flex w-full min-w-0 items-center gap-2.5 rounded-md px-2 py-1.5 text-left text-sm hover:bg-hover"
              onClick={() => onPick(lead)}
            >
              <Avatar person={lead} />
              <PersonName person={lead} className="flex-1 leading-4" />
              <StageBadge stage={lead.leadStage} />
            </button>
          ))}
          {found.isSuccess && leads.length === 0 && (
            <p className="px-2 py-1.5 text-sm text-muted">Nobody by that name.</p>
          )}
        </div>
      )}
    </div>
  );
}
