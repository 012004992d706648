import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { History } from 'lucide-react';

import { keys } from '@/api/keys';
import { type ModelParts, type ModelVersion, versionQuery, versionsPage } from '@/api/model';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { type Column, DataTable } from '@/components/ui/data-table';
import { Sheet } from '@/components/ui/dialog';
import { EventIcon } from '@/components/ui/event-icon';
import { Card, LoadMore } from '@/components/ui/layout';
import { EmptyState, ErrorState, Loading, Skeleton } from '@/components/ui/states';
import { RelativeTime } from '@/components/ui/text';

import { Comparison } from './compare-dialog';
import { type Named, parts } from './model';
import { modelWords, pointsWords, ruleName } from './words';

const route = getRouteApi('/shell/scoring');

type Props = {
  inForce: Named;
  pending: number;
  locked: boolean;
  onUse: (model: ModelParts) => void;
};

/** Every version that was published, newest first; an old one can be put in force again. */
export function VersionsTab({ inForce, pending, locked, onUse }: Props) {
  const { version: open } = route.useSearch();
  const navigate = route.useNavigate();
  const found = useInfiniteQuery({
    queryKey: keys.model.part('versions'),
    queryFn: ({ pageParam, signal }) => versionsPage(pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
  });
  const rows = found.data?.pages.flatMap(({ models }) => models) ?? [];
  const show = (version: number | undefined) =>
    void navigate({ search: (now) => ({ ...now, version }), replace: version === undefined });
  if (found.isError && found.data === undefined) {
    return (
      <Card>
        <ErrorState
          error={found.error}
          title="The versions can’t be shown"
          onRetry={() => void found.refetch()}
        />
      </Card>
    );
  }
  return (
    <Card flush>
      <DataTable
        label="Versions"
        rows={rows}
        rowKey={({ version }) => String(version)}
        columns={columnsOf(inForce.version)}
        loading={found.isPending ? 6 : false}
        current={open === undefined ? null : String(open)}
        onOpen={({ version }) => show(version)}
        empty={<EmptyState icon={History} title="Nothing was published yet" />}
        footer={
          <LoadMore
            shown={rows.length}
            more={found.hasNextPage}
            busy={found.isFetchingNextPage}
            onMore={() => void found.fetchNextPage()}
            what={rows.length === 1 ? 'version' : 'versions'}
          />
        }
      />
      <VersionSheet
        version={open}
        inForce={inForce}
        pending={pending}
        locked={locked}
        onClose={() => show(undefined)}
        onUse={onUse}
      />
    </Card>
  );
}

function columnsOf(newest: number): Column<ModelVersion>[] {
  return [
    {
      id: 'version',
      header: 'Version',
      min: 140,
      grow: 1,
      phone: 'title',
      cell: ({ version }) => (
        <span className="flex items-center gap-2 font-medium tabular">
          Version {version}
          {version === newest && <Badge tone="good">In force</Badge>}
        </span>
      ),
    },
    {
      id: 'note',
      header: 'Note',
      min: 200,
      grow: 4,
      cell: ({ note }) =>
        note === null ? <span className="text-faint">none</span> : <span title={note}>{note}</span>,
    },
    {
      id: 'scope',
      header: 'Counts for',
      min: 110,
      grow: 1,
      cell: ({ scope }) => (scope === 'all-history' ? 'all history' : 'what came after'),
    },
    {
      id: 'at',
      header: 'Published',
      min: 110,
      grow: 0,
      align: 'right',
      phone: 'aside',
      cell: ({ publishedAt }) => <RelativeTime at={publishedAt} className="text-muted" />,
    },
  ];
}

type SheetProps = Props & { version: number | undefined; onClose: () => void };

function VersionSheet({ version, inForce, pending, locked, onClose, onUse }: SheetProps) {
  const found = useQuery({ ...versionQuery(version ?? 1), enabled: version !== undefined });
  return (
    <Sheet open={version !== undefined} onClose={onClose} title={`Version ${version ?? ''}`}>
      {found.isError && found.data === undefined ? (
        <ErrorState
          error={found.error}
          title="This version can’t be shown"
          onRetry={() => void found.refetch()}
        />
      ) : found.data === undefined ? (
        <Loading label="The version is loading">
          <div className="flex flex-col gap-3 p-4">
            <Skeleton className="h-24" />
            <Skeleton className="h-64" />
          </div>
        </Loading>
      ) : (
        <div className="flex min-h-full flex-col">
          <div className="flex flex-col gap-5 p-4">
            <p className="text-sm text-muted">
              Published <RelativeTime at={found.data.publishedAt} />, for{' '}
              {found.data.scope === 'all-history' ? 'all history' : 'what came after'}.
              {found.data.note !== null && (
                <span className="mt-1 block break-words text-ink">“{found.data.note}”</span>
              )}
            </p>
            {version !== inForce.version && (
              <section aria-label="What it would change" className="flex flex-col gap-2">
                <h3 className="text-sm font-semibold">To bring it back</h3>
                <Comparison base={inForce.model} wanted={parts(found.data)} pending={pending} />
              </section>
            )}
            <VersionModel model={found.data} />
          </div>
          {version !== inForce.version && !locked && (
            <div className="sticky bottom-0 mt-auto flex justify-end border-t border-line bg-surface px-4 py-3">
              <Button
                kind="primary"
                onClick={() => {
                  onUse(parts(found.data));
                  onClose();
                }}
              >
                Use as my edit
              </Button>
            </div>
          )}
        </div>
      )}
    </Sheet>
  );
}

/** A whole model to read. */
function VersionModel({ model }: { model: ModelParts }) {
  return (
    <section aria-label="What it says" className="flex flex-col gap-3">
      <h3 className="text-sm font-semibold">What it says</h3>
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1 text-sm">
        {modelWords(model).map(([name, words]) => (
          <div key={name} className="contents">
            <dt className="text-muted">{name}</dt>
            <dd className="break-words tabular">{words}</dd>
          </div>
        ))}
      </dl>
      <ul aria-label="Its rules" className="divide-y divide-line rounded-lg border border-line">
        {model.rules.map((rule) => (
          <li key={rule.id} className="flex items-center gap-2 px-3 py-1.5 text-sm">
            <EventIcon type={rule.eventType} />
            <span className="min-w-0 flex-1 truncate" title={ruleName(rule)}>
              {ruleName(rule)}
            </span>
            {!rule.active && <Badge>Off</Badge>}
            <span className="font-medium tabular">{pointsWords(rule.points)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
