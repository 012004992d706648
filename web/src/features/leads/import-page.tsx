import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { ChevronLeft, CircleAlert, Download, FileUp, TriangleAlert } from 'lucide-react';
import { type DragEvent, useEffect, useId, useRef, useState } from 'react';

import { isApiError, messageOf } from '@/api/errors';
import {
  type ImportPreview,
  importPreviewQuery,
  importQuery,
  importsQuery,
  type LeadImport,
  startImport,
} from '@/api/imports';
import { keys } from '@/api/keys';
import { useRefusal } from '@/api/session';
import { Badge, type Tone } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { Select } from '@/components/ui/form';
import { Card, PageHeader, Stat } from '@/components/ui/layout';
import { EmptyState, ErrorState, Loading, Notice, Skeleton } from '@/components/ui/states';
import { RelativeTime } from '@/components/ui/text';
import { cn } from '@/lib/cn';
import * as format from '@/lib/format';

import { choicesFor, LARGEST, readFile } from './import-file';

const route = getRouteApi('/shell/leads/import');

type File = { name: string; csv: string; key: string };

/** Leads out of a CSV file: looked at first, then taken in by a worker. */
export function ImportPage() {
  const { import: id } = route.useSearch();
  const navigate = route.useNavigate();
  const refused = useRefusal()('leads.write');
  const show = (next: string | undefined) => void navigate({ search: { import: next } });
  return (
    <div className="mx-auto w-full max-w-[1000px] pb-8">
      <Link
        to="/leads"
        className="mt-3 ml-3 inline-flex h-8 items-center gap-1 rounded-md pr-2 text-sm text-muted hover:text-ink md:ml-5"
      >
        <ChevronLeft aria-hidden className="size-4" />
        Leads
      </Link>
      <div className="-mt-4">
        <PageHeader
          title="Import leads"
          description="A CSV file with an email or user id in each row. Who is here already is completed; nothing is removed."
        />
      </div>
      <div className="flex flex-col gap-4 px-4 md:px-6">
        {refused !== null ? (
          <Notice tone="warn" icon={CircleAlert}>
            {refused}
          </Notice>
        ) : (
          <>
            {id === undefined ? (
              <NewImport onStarted={show} />
            ) : (
              <RunningImport key={id} id={id} onAnother={() => show(undefined)} />
            )}
            <Earlier current={id} onShow={show} />
          </>
        )}
      </div>
    </div>
  );
}

// ── A new one ────────────────────────────────────────────────────────────────────────

function NewImport({ onStarted }: { onStarted: (id: string) => void }) {
  const [file, setFile] = useState<File | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  const choose = async (chosen: globalThis.File | undefined) => {
    if (chosen === undefined) return;
    setWrong(null);
    try {
      setFile({ ...(await readFile(chosen)), key: `${chosen.name} ${Date.now()}` });
    } catch (error) {
      setFile(null);
      setWrong(error instanceof Error ? error.message : 'This file can’t be read.');
    }
  };
  return file === null ? (
    <>
      <DropZone onFile={(chosen) => void choose(chosen)} />
      {wrong !== null && (
        <Notice tone="danger" icon={CircleAlert}>
          {wrong}
        </Notice>
      )}
    </>
  ) : (
    <Looked key={file.key} file={file} onStarted={onStarted} onOther={() => setFile(null)} />
  );
}

function DropZone({ onFile }: { onFile: (file: globalThis.File | undefined) => void }) {
  const id = useId();
  const [over, setOver] = useState(false);
  const drag = (inside: boolean) => (event: DragEvent) => {
    event.preventDefault();
    setOver(inside);
  };
  return (
    <label
      htmlFor={id}
      onDragEnter={drag(true)}
      onDragOver={drag(true)}
      onDragLeave={drag(false)}
      onDrop={(event) => {
        drag(false)(event);
        onFile(event.dataTransfer.files[0]);
      }}
      className={cn(
        'has-focus-visible:outline-ring flex cursor-pointer flex-col items-center rounded-lg border border-dashed border-line-strong bg-surface px-6 py-12 text-center transition-colors has-focus-visible:outline-2 has-focus-visible:outline-offset-2',
        over ? 'border-accent bg-accent-soft' : 'hover:bg-hover',
      )}
    >
      <span className="mb-4 flex size-10 items-center justify-center rounded-lg border border-line bg-subtle">
        <FileUp aria-hidden className="size-5 text-muted" />
      </span>
      <span className="font-semibold">Choose a CSV file, or drop it here</span>
      <span className="mt-1 max-w-md text-sm text-muted">
        The first row names the columns. At most 20,000 rows and {format.bytes(LARGEST)}. You see
        what would happen before anything does.
      </span>
      <input
        id={id}
        type="file"
        accept=".csv,.tsv,.txt,text/csv,text/tab-separated-values,text/plain"
        className="sr-only"
        onChange={(event) => {
          onFile(event.target.files?.[0]);
          event.target.value = '';
        }}
      />
    </label>
  );
}

type LookedProps = { file: File; onStarted: (id: string) => void; onOther: () => void };

function Looked({ file, onStarted, onOther }: LookedProps) {
  const queries = useQueryClient();
  const [columns, setColumns] = useState<Record<string, string | null>>({});
  const sent = { name: file.name, csv: file.csv, columns };
  const preview = useQuery(importPreviewQuery(sent, file.key));
  const start = useMutation({
    mutationFn: () => startImport(sent),
    onSuccess: ({ id }) => {
      onStarted(id);
      return queries.invalidateQueries({ queryKey: keys.imports.list });
    },
  });
  if (preview.isError && preview.data === undefined) {
    const about = isApiError(preview.error) ? preview.error.errors[0]?.message : undefined;
    return (
      <Card>
        <EmptyState
          icon={TriangleAlert}
          title={`${file.name} can’t be imported`}
          action={
            <>
              <Button onClick={() => void preview.refetch()}>Try again</Button>
              <Button kind="primary" onClick={onOther}>
                Choose another file
              </Button>
            </>
          }
        >
          {about ?? messageOf(preview.error)}
        </EmptyState>
      </Card>
    );
  }
  if (preview.data === undefined) return <LookedSkeleton />;
  const { data } = preview;
  const useful = data.creates + data.updates;
  return (
    <>
      <Card
        title={file.name}
        aside={
          <Button size="sm" kind="ghost" onClick={onOther}>
            Choose another file
          </Button>
        }
      >
        <div
          className={cn(
            'grid grid-cols-2 gap-4 sm:grid-cols-4',
            preview.isPlaceholderData && 'opacity-60',
          )}
        >
          <Stat label="Rows" value={format.number(data.rows)} />
          <Stat label="New leads" value={format.number(data.creates)} />
          <Stat label="Completed" value={format.number(data.updates)} />
          <Stat label="Can’t be taken" value={format.number(data.rejected)} />
        </div>
      </Card>
      <Mapping
        preview={data}
        onChange={(header, field) => setColumns({ ...columns, [header]: field })}
      />
      {preview.isError && <Notice tone="danger">{messageOf(preview.error)}</Notice>}
      <Problems problems={data.problems} rejected={data.rejected} />
      {start.isError && <Notice tone="danger">{messageOf(start.error)}</Notice>}
      <div className="flex flex-wrap items-center justify-end gap-3">
        {useful === 0 && (
          <p className="text-sm text-muted">
            No row can be taken: say which column is the email or the user id.
          </p>
        )}
        <Button
          kind="primary"
          busy={start.isPending}
          disabled={useful === 0 || preview.isPlaceholderData || preview.isFetching}
          onClick={() => start.mutate()}
        >
          Import {format.count(useful, 'row')}
        </Button>
      </div>
    </>
  );
}

function LookedSkeleton() {
  return (
    <Loading label="The file is being looked at">
      <div className="flex flex-col gap-4">
        <Skeleton className="h-28 w-full" />
        <Skeleton className="h-56 w-full" />
      </div>
    </Loading>
  );
}

function Mapping({
  preview,
  onChange,
}: {
  preview: ImportPreview;
  onChange: (header: string, field: string | null) => void;
}) {
  return (
    <Card flush title="What the columns are">
      <div className="overflow-x-auto">
        <table className="w-full text-sm max-md:block">
          <thead className="max-md:sr-only">
            <tr className="border-b border-line text-left text-xs text-muted">
              <th scope="col" className="px-4 py-2 font-medium">
                Column
              </th>
              <th scope="col" className="py-2 pr-4 font-medium">
                Values
              </th>
              <th scope="col" className="w-60 py-2 pr-4 font-medium">
                Is taken for
              </th>
            </tr>
          </thead>
          <tbody className="divide-y divide-line max-md:block">
            {preview.columns.map(({ header, field, samples }) => (
              <tr
                key={header}
                className="max-md:flex max-md:flex-col max-md:gap-1 max-md:px-4 max-md:py-3"
              >
                <th
                  scope="row"
                  className="max-w-48 truncate text-left font-medium md:px-4 md:py-2"
                  title={header}
                >
                  {header}
                </th>
                <td
                  className="max-w-72 truncate text-muted md:py-2 md:pr-4"
                  title={samples.join(', ')}
                >
                  {samples.length === 0 ? 'empty' : samples.join(', ')}
                </td>
                <td className="md:py-1.5 md:pr-4">
                  <Select
                    aria-label={`What ${header} is taken for`}
                    className="w-full"
                    value={field ?? ''}
                    onChange={(event) =>
                      onChange(header, event.target.value === '' ? null : event.target.value)
                    }
                  >
                    {choicesFor(header, field).map(({ value, label }) => (
                      <option key={value} value={value}>
                        {label}
                      </option>
                    ))}
                  </Select>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function Problems({
  problems,
  rejected,
}: {
  problems: readonly { line: number; problem: string }[];
  rejected: number;
}) {
  if (rejected === 0) return null;
  return (
    <Card
      flush
      title={`${format.count(rejected, 'row')} can’t be taken`}
      aside={
        rejected > problems.length && (
          <span className="text-xs text-muted">the first {problems.length}</span>
        )
      }
    >
      <ul className="max-h-72 divide-y divide-line overflow-y-auto">
        {problems.map(({ line, problem }) => (
          <li key={line} className="flex gap-3 px-4 py-2 text-sm">
            <span className="w-16 shrink-0 text-muted tabular">Line {line}</span>
            <span className="min-w-0 break-words">{problem}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

// ── One that runs, or ran ────────────────────────────────────────────────────────────

const STATUS: Record<LeadImport['status'], { label: string; tone: Tone }> = {
  waiting: { label: 'Waiting', tone: 'neutral' },
  running: { label: 'Running', tone: 'accent' },
  done: { label: 'Done', tone: 'good' },
  failed: { label: 'Given up', tone: 'danger' },
};

function RunningImport({ id, onAnother }: { id: string; onAnother: () => void }) {
  const query = useQuery(importQuery(id));
  const queries = useQueryClient();
  const status = query.data?.status;
  useEffect(() => {
    if (status !== 'done' && status !== 'failed') return;
    void queries.invalidateQueries({ queryKey: keys.imports.list });
    void queries.invalidateQueries({ queryKey: keys.leads.lists });
  }, [status, queries]);
  if (query.isError && query.data === undefined) {
    return (
      <Card>
        {isApiError(query.error) && [404, 422].includes(query.error.status) ? (
          <EmptyState
            icon={FileUp}
            title="There is no such import"
            action={<Button onClick={onAnother}>Import a file</Button>}
          >
            Imports are forgotten 30 days after they were over.
          </EmptyState>
        ) : (
          <ErrorState
            error={query.error}
            title="The import can’t be shown"
            onRetry={() => void query.refetch()}
          />
        )}
      </Card>
    );
  }
  if (query.data === undefined) return <Skeleton className="h-40 w-full" />;
  return <Progress one={query.data} onAnother={onAnother} />;
}

function Progress({ one, onAnother }: { one: LeadImport; onAnother: () => void }) {
  const over = one.status === 'done' || one.status === 'failed';
  const share = one.rows === 0 ? 1 : one.done / one.rows;
  const { label, tone } = STATUS[one.status];
  const heading = useRef<HTMLParagraphElement>(null);
  return (
    <>
      <Card title={one.name} aside={<Badge tone={tone}>{label}</Badge>}>
        <div className="flex flex-col gap-4">
          {!over && (
            <div>
              <div
                role="progressbar"
                aria-label={`Import of ${one.name}`}
                aria-valuemin={0}
                aria-valuemax={one.rows}
                aria-valuenow={one.done}
                className="h-1.5 overflow-hidden rounded-full bg-pressed"
              >
                <div
                  className="h-full rounded-full bg-accent transition-[width] duration-500"
                  style={{ width: `${share * 100}%` }}
                />
              </div>
              <p ref={heading} className="mt-2 text-sm text-muted tabular">
                {one.status === 'waiting'
                  ? 'Waits for a worker. You can leave this page; it goes on.'
                  : `${format.number(one.done)} of ${format.count(one.rows, 'row')}. You can leave this page; it goes on.`}
              </p>
            </div>
          )}
          <p role="status" className="sr-only">
            {label}
          </p>
          <div className="grid grid-cols-2 gap-4 sm:grid-cols-4">
            <Stat label="Rows" value={format.number(one.rows)} />
            <Stat label="New leads" value={format.number(one.created)} />
            <Stat label="Completed" value={format.number(one.updated)} />
            <Stat label="Rejected" value={format.number(one.rejected)} />
          </div>
          {one.error !== null && (
            <Notice tone="danger" icon={CircleAlert}>
              {one.error} Rows that were done stay done; import the file again for the rest.
            </Notice>
          )}
          {over && (
            <div className="flex flex-wrap gap-2">
              <Button asChild kind="primary">
                <Link to="/leads" search={{ sort: 'createdAt' }}>
                  See the newest leads
                </Link>
              </Button>
              {one.rejected > 0 && (
                <Button asChild>
                  <a href={`/api/imports/${one.id}/rejected`} download>
                    <Download aria-hidden className="size-4" />
                    Rejected rows
                  </a>
                </Button>
              )}
              <Button onClick={onAnother}>Import another file</Button>
            </div>
          )}
        </div>
      </Card>
      <Problems problems={one.problems} rejected={one.rejected} />
    </>
  );
}

// ── Earlier ones ─────────────────────────────────────────────────────────────────────

type EarlierProps = { current: string | undefined; onShow: (id: string) => void };

function Earlier({ current, onShow }: EarlierProps) {
  const query = useInfiniteQuery(importsQuery);
  if (query.isError && query.data === undefined) {
    return (
      <Card title="Earlier imports">
        <ErrorState error={query.error} onRetry={() => void query.refetch()} />
      </Card>
    );
  }
  const imports = query.data?.pages.flatMap((page) => page.imports) ?? [];
  if (imports.length === 0) return null;
  return (
    <Card flush title="Earlier imports">
      <ul className="divide-y divide-line">
        {imports.map((one) => (
          <li key={one.id}>
            <button
              type="button"
              aria-current={one.id === current ? 'true' : undefined}
              className={cn(
                'flex w-full flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5 text-left text-sm hover:bg-hover focus-visible:-outline-offset-2',
                one.id === current && 'bg-subtle',
              )}
              onClick={() => onShow(one.id)}
            >
              <span className="min-w-0 flex-1 basis-40 truncate font-medium" title={one.name}>
                {one.name}
              </span>
              <span className="text-muted tabular">
                {format.count(one.rows, 'row')}
                {one.rejected > 0 && `, ${format.number(one.rejected)} rejected`}
              </span>
              <Badge tone={STATUS[one.status].tone}>{STATUS[one.status].label}</Badge>
              <RelativeTime at={one.createdAt} className="w-24 text-right text-muted" />
            </button>
          </li>
        ))}
      </ul>
      {query.hasNextPage && (
        <div className="flex justify-center p-2">
          <Button
            size="sm"
            busy={query.isFetchingNextPage}
            onClick={() => void query.fetchNextPage()}
          >
            Show earlier ones
          </Button>
        </div>
      )}
    </Card>
  );
}
