import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { Download, ScrollText } from 'lucide-react';

import { useMay, useProject } from '@/api/session';
import { type AuditLine, auditQuery, membersQuery } from '@/api/settings';
import { Button } from '@/components/ui/button';
import { Field, Input, Select } from '@/components/ui/form';
import { Card, LoadMore } from '@/components/ui/layout';
import { DropdownMenu, MenuItem } from '@/components/ui/menu';
import { EmptyState, ErrorState, Loading, Skeleton } from '@/components/ui/states';
import { RelativeTime } from '@/components/ui/text';

import { actionWords, auditFile, auditFilter } from './audit-filter';
import { Refused } from './refused';

const route = getRouteApi('/shell/settings/$section');

const KINDS = [
  'project',
  'member',
  'invitation',
  'key',
  'model',
  'rule',
  'lead',
  'leads',
  'event',
  'failure',
  'suppression',
  'retention',
  'sample_data',
] as const;

export function AuditSection() {
  const may = useMay();
  return may('audit') ? (
    <AuditLog />
  ) : (
    <Refused permission="audit" what="The audit log is for the owner." />
  );
}

function AuditLog() {
  const { id } = useProject();
  const view = route.useSearch();
  const navigate = route.useNavigate();
  const filter = auditFilter(view);
  const log = useInfiniteQuery(auditQuery(id, filter));
  const rows = log.data?.pages.flatMap((page) => page.entries) ?? [];
  const filtered = Object.keys(filter).length > 0;
  return (
    <Card
      title="Who did what"
      aside={
        <DropdownMenu
          trigger={
            <Button size="sm" icon={Download}>
              Export
            </Button>
          }
        >
          {(['csv', 'jsonl'] as const).map((format) => (
            <MenuItem key={format} asChild>
              <a href={auditFile(id, filter, format)} download>
                {format === 'csv' ? 'As CSV' : 'As JSON lines'}
              </a>
            </MenuItem>
          ))}
        </DropdownMenu>
      }
      flush
    >
      <Filters />
      {log.data === undefined || (log.isError && rows.length === 0) ? (
        log.isError ? (
          <ErrorState
            error={log.error}
            title="The audit log can’t be shown"
            onRetry={() => void log.refetch()}
          />
        ) : (
          <Loading label="The audit log is loading">
            {[0, 1, 2, 3, 4].map((row) => (
              <div key={row} className="border-t border-line px-4 py-3">
                <Skeleton className="h-4 w-3/4" />
              </div>
            ))}
          </Loading>
        )
      ) : rows.length === 0 ? (
        <EmptyState
          icon={ScrollText}
          title={filtered ? 'Nothing fits the filter' : 'Nothing was done yet'}
          className="py-10"
          action={
            filtered && (
              <Button
                onClick={() =>
                  void navigate({
                    search: (now) => ({
                      ...now,
                      actor: undefined,
                      action: undefined,
                      from: undefined,
                      to: undefined,
                    }),
                  })
                }
              >
                Take the filter off
              </Button>
            )
          }
        >
          {!filtered && 'Each change of settings, rules, keys and people stands here for good.'}
        </EmptyState>
      ) : (
        <>
          <ul aria-label="Audit log" className="divide-y divide-line border-t border-line">
            {rows.map((line) => (
              <Line key={line.id} line={line} />
            ))}
          </ul>
          <LoadMore
            shown={rows.length}
            more={log.hasNextPage}
            busy={log.isFetchingNextPage}
            onMore={() => void log.fetchNextPage()}
            what={rows.length === 1 ? 'entry' : 'entries'}
          />
        </>
      )}
    </Card>
  );
}

function Filters() {
  const { id } = useProject();
  const { actor, action, from, to } = route.useSearch();
  const navigate = route.useNavigate();
  const members = useQuery(membersQuery(id));
  const set =
    (name: 'actor' | 'action' | 'from' | 'to') => (event: { target: { value: string } }) =>
      void navigate({
        search: (now) => ({ ...now, [name]: event.target.value || undefined }),
        replace: true,
      });
  const people = members.data?.members ?? [];
  const known = actor === undefined || people.some((one) => `user:${one.id}` === actor);
  return (
    <div role="search" className="grid grid-cols-2 gap-3 px-4 pb-3 md:grid-cols-4">
      <Field label="By">
        <Select value={actor ?? ''} onChange={set('actor')}>
          <option value="">Anybody</option>
          {people.map((one) => (
            <option key={one.id} value={`user:${one.id}`}>
              {one.name}
            </option>
          ))}
          <option value="cli">Command line</option>
          {!known && actor !== 'cli' && <option value={actor}>{actor}</option>}
        </Select>
      </Field>
      <Field label="About">
        <Select value={action ?? ''} onChange={set('action')}>
          <option value="">Anything</option>
          {KINDS.map((kind) => (
            <option key={kind} value={kind}>
              {actionWords(kind)}
            </option>
          ))}
          {action !== undefined && !(KINDS as readonly string[]).includes(action) && (
            <option value={action}>{actionWords(action)}</option>
          )}
        </Select>
      </Field>
      <Field label="From">
        <Input type="date" value={from ?? ''} max={to} onChange={set('from')} />
      </Field>
      <Field label="To">
        <Input type="date" value={to ?? ''} min={from} onChange={set('to')} />
      </Field>
    </div>
  );
}

function Line({ line }: { line: AuditLine }) {
  const { actor, actorName, action, target, details, address } = line;
  const more = Object.entries(details);
  return (
    <li className="px-4 py-2.5 text-sm">
      <div className="flex flex-wrap items-baseline gap-x-2">
        <span className="font-medium">{actionWords(action)}</span>
        <span className="min-w-0 truncate text-muted" title={actor}>
          {actorName ?? actor}
        </span>
        <RelativeTime at={line.at} className="ml-auto text-xs text-muted" />
      </div>
      <div className="flex flex-wrap gap-x-4 gap-y-0.5 text-xs text-muted">
        {target !== null && (
          <span className="min-w-0 truncate font-mono" title={target}>
            {target}
          </span>
        )}
        {address !== null && <span>from {address}</span>}
        {more.length > 0 && (
          <details className="w-full">
            <summary className="cursor-default rounded-sm select-none">Details</summary>
            <dl className="mt-1 grid grid-cols-[auto_1fr] gap-x-4">
              {more.map(([name, value]) => (
                <div key={name} className="col-span-2 grid grid-cols-subgrid">
                  <dt>{name}</dt>
                  <dd className="min-w-0 font-mono break-words text-ink">
                    {typeof value === 'string' ? value : JSON.stringify(value)}
                  </dd>
                </div>
              ))}
            </dl>
          </details>
        )}
      </div>
    </li>
  );
}
