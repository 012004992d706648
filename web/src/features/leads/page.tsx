import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Download, FileUp, FlaskConical, Plus, UserRoundSearch, Users } from 'lucide-react';
import { lazy, type ReactNode, Suspense, useCallback, useEffect, useMemo, useRef } from 'react';

import { messageOf } from '@/api/errors';
import { keys } from '@/api/keys';
import { leadListQuery, modelQuery, removeTestLeads } from '@/api/lead';
import { useMay, useMe, useProject } from '@/api/session';
import { useActions } from '@/components/ui/actions';
import { Button } from '@/components/ui/button';
import { ColumnChoice, DataTable, type Sort } from '@/components/ui/data-table';
import { ConfirmDialog } from '@/components/ui/dialog';
import { Segments } from '@/components/ui/form';
import { LoadMore, PageHeader } from '@/components/ui/layout';
import { EmptyState, ErrorState } from '@/components/ui/states';
import { toast } from '@/components/ui/toast';
import { cn } from '@/lib/cn';
import * as format from '@/lib/format';
import { useNarrow, useNow } from '@/lib/hooks';

import { useListChanges } from './changes';
import { columnsFor } from './columns';
import { useMembers, useOpen } from './controls';
import { CreateDialog } from './create-dialog';
import { LeadFilters } from './filter-bar';
import { useHiddenColumns } from './hidden-columns';
import { useListKeys } from './list-keys';
import {
  CLEARED,
  exportAddress,
  filtersIn,
  HOUR,
  type LeadsView,
  orderOf,
  questionOf,
  SORTS,
} from './view';

const route = getRouteApi('/shell/leads');

// With its chart; the list doesn't wait for it.
const LeadDrawer = lazy(async () => ({ default: (await import('./drawer')).LeadDrawer }));

/** Every lead of the project: found, sorted, and opened beside the list. */
export function LeadsPage() {
  const view = route.useSearch();
  const navigate = route.useNavigate();
  const me = useMe().user;
  const may = useMay();
  const members = useMembers();
  const create = useOpen();
  const model = useQuery(modelQuery).data;

  // To the hour, so that the same list keeps its name for a while.
  const hour = Math.floor(useNow() / HOUR) * HOUR;
  const question = useMemo(() => questionOf(view, me.id, hour), [view, me.id, hour]);

  const change = useCallback(
    (changes: Partial<LeadsView>) =>
      void navigate({ search: (now) => ({ ...now, ...changes }), replace: true }),
    [navigate],
  );
  const openLead = useCallback(
    (lead: string | undefined) =>
      void navigate({
        search: (now) => ({
          ...now,
          lead,
          at: undefined,
          ...(lead === undefined && { tab: 'overview' as const }),
        }),
        // Back closes the drawer; from one lead to the next it is the same drawer.
        replace: view.lead !== undefined && lead !== undefined,
      }),
    [navigate, view.lead],
  );
  const download = exportAddress(question, stageFrom(model, 'warm'));
  useActions([
    ...(may('leads.write')
      ? [
          { id: 'leads-create', label: 'New lead', icon: Plus, run: create.show },
          {
            id: 'leads-import',
            label: 'Import leads',
            icon: FileUp,
            words: 'csv upload',
            run: () => void navigate({ to: '/leads/import' }),
          },
        ]
      : []),
  ]);

  return (
    <div className="flex h-full min-h-0 flex-col">
      <PageHeader
        title="Leads"
        actions={
          <>
            {may('leads.export') && (
              <Button asChild>
                <a href={download} download="leads-export.csv" title="The leads shown, as CSV">
                  <Download aria-hidden className="size-4" />
                  Export
                </a>
              </Button>
            )}
            {may('leads.write') && (
              <>
                <Button asChild>
                  <Link to="/leads/import">
                    <FileUp aria-hidden className="size-4" />
                    Import
                  </Link>
                </Button>
                <Button kind="primary" icon={Plus} onClick={create.show}>
                  New lead
                </Button>
              </>
            )}
          </>
        }
      />
      <List
        {...{ view, question, members, change, openLead }}
        qualifiedFrom={stageFrom(model, 'qualified')}
        onCreate={may('leads.write') ? create.show : null}
      />
      {create.open && (
        <CreateDialog
          onClose={create.close}
          onMade={(id) => {
            create.close();
            openLead(id);
          }}
        />
      )}
    </div>
  );
}

function stageFrom(
  model: { stages: { name: string; from: number }[] } | undefined,
  name: string,
): number {
  return model?.stages.find((stage) => stage.name === name)?.from ?? 0;
}

type ListProps = {
  view: LeadsView;
  question: ReturnType<typeof questionOf>;
  members: ReturnType<typeof useMembers>;
  qualifiedFrom: number;
  change: (changes: Partial<LeadsView>) => void;
  openLead: (id: string | undefined) => void;
  /** Opens the dialog of a new lead; null for who may not. */
  onCreate: (() => void) | null;
};

function List({ view, question, members, qualifiedFrom, change, openLead, onCreate }: ListProps) {
  const list = useInfiniteQuery(leadListQuery(question));
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.leads) ?? [], [list.data]);
  const ids = useMemo(() => new Set(rows.map(({ id }) => id)), [rows]);
  const narrow = useNarrow();
  const columns = useMemo(
    () => columnsFor(members, qualifiedFrom, narrow),
    [members, qualifiedFrom, narrow],
  );
  const { hidden, setHidden } = useHiddenColumns();
  const box = useRef<HTMLDivElement>(null);
  const { changed, show, hold } = useListChanges({
    queryKey: leadListQuery(question).queryKey,
    ids,
    busy: () => (box.current?.firstElementChild?.scrollTop ?? 0) > 200,
  });

  // A list that is asked anew begins at its top.
  const name = JSON.stringify(question);
  useEffect(() => {
    box.current?.firstElementChild?.scrollTo({ top: 0 });
  }, [name]);

  const at = rows.findIndex(({ id }) => id === view.lead);
  const step = (by: number) => {
    const next = rows[at + by];
    return at === -1 || next === undefined ? null : () => openLead(next.id);
  };
  const close = () => {
    openLead(undefined);
    // Back to where one was, for who goes on by keyboard.
    requestAnimationFrame(() => focusRow(box.current, at));
  };
  useListKeys({
    box,
    onPrevious: view.lead === undefined ? null : step(-1),
    onNext: view.lead === undefined ? null : step(1),
  });
  useEffect(() => {
    if (at >= 0) {
      box.current?.querySelector(`[data-row="${at}"]`)?.scrollIntoView({ block: 'nearest' });
    }
  }, [at]);

  const { total, totalIsCapped } = list.data?.pages[0] ?? { total: null, totalIsCapped: false };
  const sort: Sort = { by: view.sort, order: orderOf(view) };
  const call = view.view === 'call';
  const more = () => {
    if (list.hasNextPage && !list.isFetchingNextPage) void list.fetchNextPage();
  };
  return (
    <>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 pb-3 md:px-6">
        <Segments
          label="Which leads"
          value={view.view}
          choices={[
            { value: 'all', label: 'All' },
            { value: 'call', label: 'To call' },
          ]}
          onChange={(next) => change({ view: next })}
        />
        <p role="status" className="text-sm text-muted tabular">
          {total !== null && totalWords(total, totalIsCapped)}
          {call && ' that wait for somebody, the most urgent first'}
        </p>
        {changed > 0 && (
          <button
            type="button"
            className="rounded-md px-1.5 text-sm text-accent-text hover:bg-hover"
            onClick={() => {
              box.current?.firstElementChild?.scrollTo({ top: 0 });
              show();
            }}
          >
            {changed} changed · Show
          </button>
        )}
        {view.test && <RemoveTestLeads onGone={show} />}
      </div>
      <LeadFilters view={view} members={members} onChange={change}>
        <ColumnChoice columns={columns} hidden={hidden} onChange={setHidden} />
      </LeadFilters>
      <div
        ref={box}
        {...hold}
        className={cn(
          'flex min-h-0 flex-1 flex-col border-t border-line bg-surface',
          list.isPlaceholderData && 'opacity-60',
        )}
      >
        {list.isError && list.data === undefined ? (
          <ErrorState
            error={list.error}
            title="The leads can’t be shown"
            onRetry={() => void list.refetch()}
          />
        ) : (
          <DataTable
            className="flex-1"
            label="Leads"
            rows={rows}
            rowKey={(lead) => lead.id}
            columns={columns}
            hidden={hidden}
            {...(!call && {
              sort,
              onSort: ({ by, order }: Sort) => {
                const known = SORTS.find((one) => one === by);
                if (known)
                  change({ sort: known, order: order === defaultOrder(known) ? undefined : order });
              },
            })}
            current={view.lead ?? null}
            loading={list.isPending ? 14 : false}
            onOpen={(lead) => openLead(lead.id)}
            onEnd={more}
            empty={<NoLeads view={view} change={change} onCreate={onCreate} />}
            footer={
              <LoadMore
                shown={rows.length}
                total={total}
                capped={totalIsCapped}
                more={list.hasNextPage}
                busy={list.isFetchingNextPage}
                onMore={more}
                what="leads"
              />
            }
          />
        )}
      </div>
      {view.lead !== undefined && (
        <Suspense>
          <LeadDrawer
            key="drawer"
            id={view.lead}
            known={rows[at]}
            tab={view.tab}
            at={view.at}
            onTab={(tab) => change({ tab })}
            onAt={(instant) => change({ at: instant })}
            onClose={close}
            onMerged={(survivor) => change({ lead: survivor, at: undefined })}
            onPrevious={step(-1)}
            onNext={step(1)}
          />
        </Suspense>
      )}
    </>
  );
}

const defaultOrder = (sort: LeadsView['sort']) => orderOf({ sort, order: undefined });

function focusRow(box: HTMLElement | null, index: number): void {
  const row = box?.querySelector<HTMLElement>(`[data-row="${Math.max(0, index)}"]`);
  row?.focus({ preventScroll: true });
}

function totalWords(total: number, capped: boolean): string {
  return capped ? `More than ${format.number(total)} leads` : format.count(total, 'lead');
}

function NoLeads({ view, change, onCreate }: Pick<ListProps, 'view' | 'change' | 'onCreate'>) {
  if (filtersIn(view) > 0) {
    return (
      <EmptyState
        icon={UserRoundSearch}
        title={view.test ? 'There are no test leads' : 'No lead is like that'}
        action={<Button onClick={() => change(CLEARED)}>Clear the filters</Button>}
      >
        {view.test
          ? 'Leads whose events were all sent as tests stand here, and count nowhere.'
          : 'Take off a filter, or search by a part of the name, email, company or user id.'}
      </EmptyState>
    );
  }
  if (view.view === 'call') {
    return (
      <EmptyState
        icon={Users}
        title="Nobody waits for a call"
        action={<Button onClick={() => change({ view: 'all' })}>See all leads</Button>}
      >
        Open leads that are warm, hot or qualified stand here, the most urgent first.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      icon={Users}
      title="No leads yet"
      action={
        <>
          {onCreate !== null && (
            <>
              <Button icon={Plus} onClick={onCreate}>
                New lead
              </Button>
              <Button asChild>
                <Link to="/leads/import">Import a file</Link>
              </Button>
            </>
          )}
          <Button asChild kind="primary">
            <a href="/integrations">Send the first event</a>
          </Button>
        </>
      }
    >
      Everybody whom your website or your server tells about stands here with a score.
    </EmptyState>
  );
}

/** For admins, while test leads are shown. */
function RemoveTestLeads({ onGone }: { onGone: () => void }): ReactNode {
  const may = useMay();
  const { id } = useProject();
  const queries = useQueryClient();
  const asked = useOpen();
  const remove = useMutation({
    // Very many go in several calls.
    mutationFn: async () => {
      let removed = 0;
      for (;;) {
        const answer = await removeTestLeads(id);
        removed += answer.removed;
        if (answer.remaining === 0 || answer.removed === 0) return removed;
      }
    },
    onSuccess: (removed) => {
      asked.close();
      toast(`${format.count(removed, 'test lead')} removed`);
      onGone();
      return queries.invalidateQueries({ queryKey: keys.leads.lists });
    },
  });
  if (!may('leads.remove')) return null;
  return (
    <>
      <Button size="sm" icon={FlaskConical} onClick={asked.show}>
        Remove test leads
      </Button>
      <ConfirmDialog
        open={asked.open}
        onClose={asked.close}
        onConfirm={() => remove.mutate()}
        title="Remove all test leads?"
        action="Remove test leads"
        busy={remove.isPending}
        error={remove.isError ? messageOf(remove.error) : null}
      >
        Every lead that only test events have made goes away with its events. It can’t be undone;
        leads with a real event stay.
      </ConfirmDialog>
    </>
  );
}
