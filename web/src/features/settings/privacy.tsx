import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Download, ShieldCheck } from 'lucide-react';
import { useState } from 'react';

import { isApiError, messageOf } from '@/api/errors';
import { keys } from '@/api/keys';
import { useMay, useProject, useRefusal } from '@/api/session';
import {
  liftSuppression,
  retentionQuery,
  setRetention,
  type Suppression,
  suppressionsQuery,
} from '@/api/settings';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/dialog';
import { Field, Input, RadioGroup, Select } from '@/components/ui/form';
import { Card, LoadMore, SearchInput } from '@/components/ui/layout';
import { EmptyState, ErrorState, Loading, Skeleton } from '@/components/ui/states';
import { RelativeTime } from '@/components/ui/text';
import { toast } from '@/components/ui/toast';
import { count } from '@/lib/format';

import { DraftForm, otherThan, useDraft } from './draft';
import { Refused } from './refused';
import { BY } from './view';

const route = getRouteApi('/shell/settings/$section');
const LINK = 'font-medium text-accent-text underline underline-offset-2';

export function PrivacySection() {
  const may = useMay();
  return (
    <>
      {may('retention') ? (
        <RetentionCard />
      ) : (
        <Refused permission="retention" what="How long events are kept is for the owner." />
      )}
      {may('suppressions') ? (
        <SuppressionsCard />
      ) : (
        <Refused
          permission="suppressions"
          what="Suppressions of erased people are for the owner."
        />
      )}
      <DataCard />
    </>
  );
}

function RetentionCard() {
  const { id } = useProject();
  const found = useQuery(retentionQuery(id));
  return (
    <Card title="Retention">
      {found.data === undefined ? (
        found.isError ? (
          <ErrorState error={found.error} className="py-4" onRetry={() => void found.refetch()} />
        ) : (
          <Loading label="The retention is loading">
            <Skeleton className="h-28" />
          </Loading>
        )
      ) : (
        <RetentionForm key={found.data.days ?? 'ever'} days={found.data.days} />
      )}
    </Card>
  );
}

function RetentionForm({ days }: { days: number | null }) {
  const { id } = useProject();
  const queries = useQueryClient();
  const draft = useDraft({ kept: days === null ? 'ever' : 'days', days: String(days ?? 365) });
  const [asking, setAsking] = useState(false);
  const { values } = draft;
  const wanted = values.kept === 'ever' ? null : Number(values.days);
  const sane = wanted === null || (Number.isInteger(wanted) && wanted >= 1);
  const [told, setTold] = useState(false);
  const change = useMutation({
    mutationFn: () => setRetention(id, wanted),
    onSuccess: (now) => {
      setAsking(false);
      draft.reset();
      queries.setQueryData(retentionQuery(id).queryKey, now);
      toast(now.days === null ? 'Events are kept for ever' : `Kept for ${count(now.days, 'day')}`);
    },
    onError: () => setAsking(false),
  });
  const { error } = change;
  const shorter = wanted !== null && (days === null || wanted < days);
  const save = () => {
    setTold(true);
    if (!sane) return;
    if (shorter) setAsking(true);
    else change.mutate();
  };
  return (
    <DraftForm
      dirty={draft.dirty}
      busy={change.isPending}
      error={otherThan(error, 'days')}
      onSave={save}
      onReset={() => {
        draft.reset();
        change.reset();
        setTold(false);
      }}
    >
      <p className="text-sm text-muted">
        How long events keep what they carry: properties, traits and session. Scores and their
        history stay exactly what they are, however short this is.
      </p>
      <RadioGroup
        label="How long events keep their content"
        value={values.kept}
        onChange={(kept) => draft.set({ kept })}
        choices={[
          { value: 'ever', label: 'For ever' },
          { value: 'days', label: 'For a number of days' },
        ]}
      />
      {values.kept === 'days' && (
        <Field
          label="Days"
          className="w-40"
          error={
            told && !sane
              ? 'A whole number of days, at least 1.'
              : isApiError(error)
                ? error.field('days')
                : null
          }
        >
          <Input
            inputMode="numeric"
            value={values.days}
            onChange={(event) => draft.set({ days: event.target.value })}
          />
        </Field>
      )}
      <ConfirmDialog
        open={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => change.mutate()}
        title={`Keep content for ${count(wanted ?? 0, 'day')}?`}
        action="Keep it so long"
        busy={change.isPending}
      >
        Events that are older lose their properties, traits and session for good: that begins within
        minutes and can’t be undone. Scores stay. Under a later model such events match rules
        without conditions only.
      </ConfirmDialog>
    </DraftForm>
  );
}

const NAMES = { email: 'Email', userId: 'userId', leadId: 'Lead id' } as const;

function SuppressionsCard() {
  const { id } = useProject();
  const { by, name } = route.useSearch();
  const navigate = route.useNavigate();
  const found = useInfiniteQuery(suppressionsQuery(id, name === undefined ? {} : { [by]: name }));
  const rows = found.data?.pages.flatMap((page) => page.suppressions) ?? [];
  return (
    <Card title="Suppressions" flush>
      <p className="px-4 text-sm text-muted">
        Of people who were erased nothing more is kept: their events are answered as ever and thrown
        away. Who they are is told by nobody; you can ask for one by name.
      </p>
      <div role="search" className="flex flex-wrap items-center gap-2 px-4 py-3">
        <Select
          aria-label="Search by"
          className="w-28"
          value={by}
          onChange={(event) =>
            void navigate({
              search: (now) => ({ ...now, by: event.target.value as (typeof BY)[number] }),
              replace: true,
            })
          }
        >
          {BY.map((one) => (
            <option key={one} value={one}>
              {NAMES[one]}
            </option>
          ))}
        </Select>
        <SearchInput
          label="Whose suppression"
          value={name ?? ''}
          placeholder="Exactly as it was sent"
          onChange={(next) =>
            void navigate({
              search: (now) => ({ ...now, name: next === '' ? undefined : next }),
              replace: true,
            })
          }
        />
      </div>
      {found.data === undefined || (found.isError && !found.isFetching) ? (
        found.isError ? (
          <ErrorState
            error={found.error}
            title="Suppressions can’t be shown"
            className="py-6"
            onRetry={() => void found.refetch()}
          />
        ) : (
          <Loading label="Suppressions are loading">
            <Skeleton className="m-4 h-10" />
          </Loading>
        )
      ) : rows.length === 0 ? (
        <EmptyState
          icon={ShieldCheck}
          title={name === undefined ? 'Nobody is suppressed' : 'Nobody of that name is suppressed'}
          className="py-8"
        >
          {name === undefined && 'Erasing a person, on the page of a lead, begins a suppression.'}
        </EmptyState>
      ) : (
        <>
          <ul className="divide-y divide-line border-t border-line">
            {rows.map((row) => (
              <SuppressionRow key={row.id} row={row} />
            ))}
          </ul>
          <LoadMore
            shown={rows.length}
            more={found.hasNextPage}
            busy={found.isFetchingNextPage}
            onMore={() => void found.fetchNextPage()}
            what={rows.length === 1 ? 'suppression' : 'suppressions'}
          />
        </>
      )}
    </Card>
  );
}

function SuppressionRow({ row }: { row: Suppression }) {
  const { id } = useProject();
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const lift = useMutation({
    mutationFn: () => liftSuppression(id, row.id),
    onSuccess: () => {
      setAsking(false);
      toast('Events of this person are kept again');
    },
    onSettled: () => queries.invalidateQueries({ queryKey: keys.project.all(id) }),
  });
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5 text-sm">
      <span className="flex min-w-0 flex-1 basis-48 flex-wrap gap-1">
        {row.kinds.map((kind) => (
          <Badge key={kind}>{kind}</Badge>
        ))}
      </span>
      <span className="text-xs text-muted">
        erased <RelativeTime at={row.createdAt} />
      </span>
      <Button
        size="sm"
        onClick={() => {
          lift.reset();
          setAsking(true);
        }}
      >
        Lift
      </Button>
      <ConfirmDialog
        open={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => lift.mutate()}
        title="Lift this suppression?"
        action="Lift"
        busy={lift.isPending}
        error={lift.isError ? messageOf(lift.error) : null}
      >
        Events of the person are kept and scored again from now on. What was erased doesn’t come
        back. To suppress again, the person has to be erased again.
      </ConfirmDialog>
    </li>
  );
}

/** What can be taken along, and where a person is erased. */
function DataCard() {
  const refusal = useRefusal()('leads.export');
  return (
    <Card title="Data">
      <div className="flex flex-col gap-4 text-sm">
        <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2">
          <div className="min-w-0 flex-1 basis-64">
            <p className="font-medium">Export all leads</p>
            <p className="text-muted">
              A CSV file with scores, stages and traits. Everything of an installation, events too,
              is written by <code className="font-mono text-xs">leadpulse backup FILE</code> on the
              server.
            </p>
          </div>
          {refusal === null ? (
            <Button asChild>
              <a href="/api/leads/export" download>
                <Download aria-hidden className="size-4" />
                Export leads
              </a>
            </Button>
          ) : (
            <Button icon={Download} disabled title={refusal}>
              Export leads
            </Button>
          )}
        </div>
        <p>
          <span className="font-medium">One person.</span>{' '}
          <span className="text-muted">
            All that is known of somebody is exported, and erased, on the page of{' '}
            <Link to="/leads" className={LINK}>
              the lead
            </Link>
            .
          </span>
        </p>
        <p>
          <span className="font-medium">Signed identities.</span>{' '}
          <span className="text-muted">
            Whether a userId or an email from a web page must be signed is set beside the keys, on{' '}
            <Link to="/integrations" className={LINK}>
              Integrations
            </Link>
            .
          </span>
        </p>
      </div>
    </Card>
  );
}
