import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ShieldCheck } from 'lucide-react';

import { keys } from '@/api/keys';
import { type HeldLead, quarantineQuery, releaseLead } from '@/api/operations';
import { Button } from '@/components/ui/button';
import { type Column, DataTable } from '@/components/ui/data-table';
import { LoadMore } from '@/components/ui/layout';
import { EmptyState, ErrorState } from '@/components/ui/states';
import { toast, toastError } from '@/components/ui/toast';
import { count, number } from '@/lib/format';

const COLUMNS: Column<HeldLead>[] = [
  {
    id: 'lead',
    header: 'Lead',
    min: 220,
    grow: 2,
    phone: 'title',
    cell: ({ leadId }) => (
      <Link
        to={`/leads/${leadId}` as '/'}
        className="block truncate font-mono text-xs text-accent-text underline-offset-2 hover:underline"
        title={leadId}
      >
        {leadId}
      </Link>
    ),
  },
  {
    id: 'events',
    header: 'Events held',
    min: 96,
    grow: 0,
    align: 'right',
    phone: 'meta',
    cell: ({ events }) => <span className="tabular">{number(events)}</span>,
  },
  {
    id: 'release',
    header: 'Action',
    min: 96,
    grow: 0,
    align: 'right',
    phone: 'aside',
    cell: (lead) => <Release lead={lead} />,
  },
];

function Release({ lead }: { lead: HeldLead }) {
  const queries = useQueryClient();
  const release = useMutation({
    mutationFn: () => releaseLead(lead.leadId),
    onSuccess: () => toast(`${count(lead.events, 'event')} will be scored`),
    onError: toastError,
    onSettled: () => queries.invalidateQueries({ queryKey: keys.admin.all }),
  });
  return (
    <Button
      size="sm"
      busy={release.isPending}
      aria-label={`Release the events of lead ${lead.leadId}`}
      onClick={() => release.mutate()}
    >
      Release
    </Button>
  );
}

/** Leads with more events in a day than the ceiling allows: stored, and not scored. */
export function HeldLeads() {
  const held = useInfiniteQuery(quarantineQuery);
  const rows = held.data?.pages.flatMap((page) => page.leads) ?? [];
  if (held.isError && held.data === undefined) {
    return (
      <ErrorState
        error={held.error}
        title="Held leads can’t be shown"
        onRetry={() => void held.refetch()}
      />
    );
  }
  return (
    <DataTable
      label="Leads held back"
      rows={rows}
      rowKey={({ leadId }) => leadId}
      columns={COLUMNS}
      loading={held.isPending ? 3 : false}
      empty={
        <EmptyState icon={ShieldCheck} title="Nobody is held back" className="py-10">
          Events beyond the daily ceiling of a lead, as a robot sends them, are stored and not
          scored. Such leads stand here until somebody releases them.
        </EmptyState>
      }
      footer={
        rows.length > 0 && (
          <LoadMore
            shown={rows.length}
            more={held.hasNextPage}
            busy={held.isFetchingNextPage}
            onMore={() => void held.fetchNextPage()}
            what={rows.length === 1 ? 'lead' : 'leads'}
          />
        )
      }
    />
  );
}
