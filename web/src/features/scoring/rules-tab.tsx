import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { ListChecks, Plus, SearchX } from 'lucide-react';

import { type Rule, type RuleUse, ruleStatsQuery } from '@/api/model';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { type Column, DataTable } from '@/components/ui/data-table';
import { EventIcon } from '@/components/ui/event-icon';
import { Switch } from '@/components/ui/form';
import { Card, SearchInput } from '@/components/ui/layout';
import { EmptyState, Notice, Skeleton } from '@/components/ui/states';
import { cn } from '@/lib/cn';
import * as format from '@/lib/format';

import { newRule, withRule } from './model';
import type { TabProps } from './parts';
import { RuleDrawer } from './rule-drawer';
import { type Row, rowsOf } from './rule-rows';
import { capsWords, conditionsWords, pointsWords, ruleName } from './words';

const route = getRouteApi('/shell/scoring');
export const DAYS = 30;

/** The rules of the model: what gives how many points, and what each gave lately. */
export function RulesTab(props: TabProps & { problems: readonly { field: string }[] }) {
  const { model, base, edit, locked, problems } = props;
  const { q, sort, order, rule: open } = route.useSearch();
  const navigate = route.useNavigate();
  const stats = useQuery(ruleStatsQuery(DAYS));
  const rows = rowsOf(model, base, stats.data?.rules ?? [], { q, sort, order, problems });
  const most = Math.max(1, ...(stats.data?.rules ?? []).map(({ points }) => Math.abs(points)));
  const gone = (stats.data?.rules ?? []).filter(
    ({ id }) => !base.rules.some((rule) => rule.id === id),
  );
  const show = (rule: string | undefined) =>
    void navigate({ search: (now) => ({ ...now, rule }), replace: rule === undefined });
  const add = () => {
    const made = newRule();
    edit((now) => withRule(now, made));
    show(made.id);
  };
  const columns = columnsOf({
    most,
    waiting: stats.isPending,
    locked,
    onSwitch: (rule, active) => edit((now) => withRule(now, { ...rule, active })),
  });
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <SearchInput
          label="Find a rule"
          placeholder="Name or event"
          value={q}
          onChange={(next) =>
            void navigate({ search: (now) => ({ ...now, q: next }), replace: true })
          }
        />
        <span className="text-xs text-muted tabular">
          {format.count(rows.length, 'rule')}
          {rows.length !== model.rules.length && ` of ${format.number(model.rules.length)}`}
        </span>
        {!locked && (
          <Button icon={Plus} className="ml-auto" onClick={add}>
            Add rule
          </Button>
        )}
      </div>
      <Card flush>
        <DataTable
          label="Scoring rules"
          rows={rows}
          rowKey={({ rule }) => rule.id}
          columns={columns}
          sort={{ by: sort, order }}
          onSort={({ by, order: way }) =>
            void navigate({
              search: (now) => ({ ...now, sort: by as typeof sort, order: way }),
              replace: true,
            })
          }
          loading={false}
          current={open ?? null}
          onOpen={({ rule }) => show(rule.id)}
          empty={
            q === '' ? (
              <EmptyState
                icon={ListChecks}
                title="No rule gives points yet"
                action={
                  !locked && (
                    <Button kind="primary" icon={Plus} onClick={add}>
                      Add rule
                    </Button>
                  )
                }
              >
                A rule says how many points an event is worth, and under which conditions.
              </EmptyState>
            ) : (
              <EmptyState icon={SearchX} title="No rule is called so">
                Search for a part of a rule’s name, or of the event that it scores.
              </EmptyState>
            )
          }
        />
      </Card>
      {stats.isError && stats.data === undefined && (
        <Notice
          tone="warn"
          className="mt-3"
          action={
            <Button size="sm" onClick={() => void stats.refetch()}>
              Try again
            </Button>
          }
        >
          What the rules gave in the last {DAYS} days can’t be told right now.
        </Notice>
      )}
      <StatsNote gone={gone} complete={stats.data?.complete ?? true} />
      <RuleDrawer {...props} id={open} use={stats.data?.rules} onClose={() => show(undefined)} />
    </>
  );
}

function StatsNote({ gone, complete }: { gone: RuleUse[]; complete: boolean }) {
  const sum = gone.reduce((all, { points }) => all + points, 0);
  if (gone.length === 0 && complete) return null;
  return (
    <p className="mt-3 text-xs text-muted">
      {gone.length > 0 &&
        `${format.count(gone.length, 'rule')} that is no longer in the model gave ${format.points(sum)} points in the last ${DAYS} days. `}
      {!complete &&
        `There is very much: hits and points are those of the 20,000 leads seen last, and of 200,000 score changes at most.`}
    </p>
  );
}

type Tools = {
  most: number;
  waiting: boolean;
  locked: boolean;
  onSwitch: (rule: Rule, active: boolean) => void;
};

function columnsOf({ most, waiting, locked, onSwitch }: Tools): Column<Row>[] {
  return [
    {
      id: 'name',
      header: 'Rule',
      min: 190,
      grow: 2,
      sort: 'asc',
      phone: 'title',
      cell: ({ rule, state, wrong }) => (
        <span className={cn('flex min-w-0 items-center gap-2', !rule.active && 'text-muted')}>
          <span className="truncate font-medium" title={rule.description || ruleName(rule)}>
            {ruleName(rule)}
          </span>
          {wrong ? (
            <Badge tone="danger">Incomplete</Badge>
          ) : (
            state !== null && <Badge tone="accent">{state}</Badge>
          )}
          {!rule.active && <Badge>Off</Badge>}
        </span>
      ),
    },
    {
      id: 'event',
      header: 'Event',
      min: 150,
      grow: 1.5,
      sort: 'asc',
      cell: ({ rule }) => (
        <span className="flex min-w-0 items-center gap-1.5">
          <EventIcon type={rule.eventType} />
          <span className="truncate" title={rule.eventType}>
            {rule.eventType || '…'}
          </span>
          {rule.trust === 'server' && (
            <Badge title="Only events of secret keys, imports and people">Server</Badge>
          )}
        </span>
      ),
    },
    {
      id: 'points',
      header: 'Points',
      min: 64,
      grow: 0,
      align: 'right',
      sort: 'desc',
      phone: 'aside',
      cell: ({ rule }) => (
        <span
          className={cn(
            'font-semibold tabular',
            !rule.active ? 'text-muted' : rule.points < 0 && 'text-danger-text',
          )}
        >
          {pointsWords(rule.points)}
        </span>
      ),
    },
    {
      id: 'when',
      header: 'When',
      min: 170,
      grow: 2.5,
      cell: ({ rule }) => <Limits rule={rule} />,
    },
    {
      id: 'hits',
      header: `Hits, ${DAYS} d`,
      min: 76,
      grow: 0,
      align: 'right',
      sort: 'desc',
      cell: ({ use }) =>
        waiting ? (
          <Skeleton className="ml-auto h-3.5 w-10" />
        ) : (
          <span className={cn('tabular', use.hits === 0 && 'text-faint')}>
            {format.number(use.hits)}
          </span>
        ),
    },
    {
      id: 'gave',
      header: `Given, ${DAYS} d`,
      min: 140,
      grow: 0,
      align: 'right',
      sort: 'desc',
      cell: ({ use }) =>
        waiting ? (
          <Skeleton className="ml-auto h-3.5 w-16" />
        ) : (
          <span className="flex items-center justify-end gap-2">
            <span aria-hidden className="hidden h-1.5 w-14 rounded-full bg-pressed md:block">
              <span
                className="block h-full rounded-full"
                style={{
                  width: `${(Math.abs(use.points) / most) * 100}%`,
                  background: use.points < 0 ? 'var(--danger)' : 'var(--accent)',
                }}
              />
            </span>
            <span className={cn('tabular md:min-w-14', use.points === 0 && 'text-faint')}>
              {format.points(use.points)}
            </span>
          </span>
        ),
    },
    {
      id: 'active',
      header: 'On',
      min: 36,
      grow: 0,
      align: 'right',
      phone: 'none',
      cell: ({ rule }) => (
        <Switch
          label={`${ruleName(rule)} is on`}
          hideLabel
          checked={rule.active}
          disabled={locked}
          onChange={(active) => onSwitch(rule, active)}
        />
      ),
    },
  ];
}

function Limits({ rule }: { rule: Rule }) {
  const when = conditionsWords(rule.conditions);
  const caps = capsWords(rule);
  if (when === '' && caps === '') return <span className="text-faint">always</span>;
  const most = caps === '' ? '' : `at most ${caps}`;
  return (
    <span
      className="block min-w-0 truncate text-xs text-muted max-md:whitespace-normal"
      title={[when, most].filter((part) => part !== '').join('; ')}
    >
      {when !== '' && <span className="text-ink">{when}</span>}
      {when !== '' && most !== '' && ' · '}
      {most}
    </span>
  );
}
