import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { Ellipsis, Lock, RefreshCw, Shapes } from 'lucide-react';
import { useState } from 'react';

import { keys } from '@/api/keys';
import { type Model, modelQuery, rescoreAll } from '@/api/model';
import { useMay, useProject, useRefusal } from '@/api/session';
import { IconButton } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/dialog';
import { PageHeader } from '@/components/ui/layout';
import { DropdownMenu, MenuItem } from '@/components/ui/menu';
import { ErrorState, Loading, Notice, Skeleton } from '@/components/ui/states';
import { Tabs } from '@/components/ui/tabs';
import { toast, toastError } from '@/components/ui/toast';

import { ActionsTab } from './actions-tab';
import { type Check, tabOf, useCheck } from './check';
import { PresetDialog } from './compare-dialog';
import { DecayTab } from './decay-tab';
import { named } from './model';
import type { TabProps } from './parts';
import { type Editing, useEditing } from './pending';
import { Overtaken, PendingBar } from './pending-bar';
import { PublishDialog } from './publish-dialog';
import { RescoreBar } from './rescore-bar';
import { RulesTab } from './rules-tab';
import { StagesTab } from './stages-tab';
import { VelocityTab } from './velocity-tab';
import { VersionsTab } from './versions-tab';
import { type Tab, TAB_NAMES, TABS } from './view';

const route = getRouteApi('/shell/scoring');

/** The model that gives scores: everything of it can be changed, and is published as a whole. */
export function ScoringPage() {
  const found = useQuery(modelQuery);
  if (found.data !== undefined) return <Scoring current={found.data} />;
  return (
    <div className="flex min-h-full flex-col pb-6">
      <PageHeader title="Scoring" description="What gives points, and what they mean." />
      {found.isError ? (
        <ErrorState
          error={found.error}
          title="The model can’t be shown"
          onRetry={() => void found.refetch()}
        />
      ) : (
        <Loading label="The model is loading">
          <div className="flex flex-col gap-4 px-4 md:px-6">
            <Skeleton className="h-10" />
            <Skeleton className="h-8 w-64" />
            <Skeleton className="h-96" />
          </div>
        </Loading>
      )}
    </div>
  );
}

function Scoring({ current }: { current: Model }) {
  const { id } = useProject();
  const navigate = route.useNavigate();
  const { tab } = route.useSearch();
  const locked = !useMay()('rules.write');
  const refusal = useRefusal()('rules.write');
  const editing = useEditing(id, current);
  const { model, base, changes, edit, newer } = editing;
  const check = useCheck(model, base, { enabled: !locked && changes.length > 0 && newer === null });
  const [publishing, setPublishing] = useState(false);
  const go = (to: Tab) =>
    void navigate({ search: (now) => ({ ...now, tab: to, rule: undefined, version: undefined }) });
  const props: TabProps = { model, base: base.model, edit, problem: check.problem, locked };
  const inForce = named(current);

  return (
    <div className="flex min-h-full flex-col">
      <PageHeader
        title="Scoring"
        aside={`Version ${current.version}`}
        description="What gives points, what they mean, and how they fade."
        actions={!locked && <More editing={editing} rescoring={current.rescore !== null} />}
      />
      <div className="flex flex-1 flex-col">
        <Tabs
          label="Parts of the model"
          value={tab}
          onChange={go}
          className="md:[&>div:first-child]:px-6"
          tabs={TABS.map((value) => ({
            value,
            label: <TabLabel tab={value} editing={editing} check={check} />,
            content: (
              <div className="px-4 pt-4 pb-8 md:px-6">
                {locked && refusal !== null && (
                  <Notice icon={Lock} className="mb-4">
                    You can look at everything here. To change it: {lower(refusal)}
                  </Notice>
                )}
                <RescoreBar rescore={current.rescore} />
                <Overtaken editing={editing} />
                {value === 'rules' && <RulesTab {...props} problems={check.problems} />}
                {value === 'stages' && <StagesTab {...props} />}
                {value === 'decay' && <DecayTab {...props} />}
                {value === 'velocity' && <VelocityTab {...props} />}
                {value === 'actions' && <ActionsTab {...props} />}
                {value === 'versions' && (
                  <VersionsTab
                    inForce={inForce}
                    pending={changes.length}
                    locked={locked}
                    onUse={(wanted) => {
                      editing.replace(wanted);
                      go('rules');
                    }}
                  />
                )}
              </div>
            ),
          }))}
        />
      </div>
      {!locked && (
        <>
          <PendingBar
            editing={editing}
            check={check}
            onReview={() => setPublishing(true)}
            onTab={go}
          />
          <PublishDialog open={publishing} onClose={() => setPublishing(false)} editing={editing} />
        </>
      )}
    </div>
  );
}

function lower(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}

function TabLabel({ tab, editing, check }: { tab: Tab; editing: Editing; check: Check }) {
  const changed = editing.changes.filter((change) => change.tab === tab).length;
  const wrong = check.problems.some(({ field }) => tabOf(field) === tab);
  return (
    <span className="inline-flex items-center gap-1.5">
      {TAB_NAMES[tab]}
      {changed > 0 && (
        <span
          aria-hidden
          className={`size-1.5 rounded-full ${wrong ? 'bg-danger' : 'bg-accent'}`}
        />
      )}
      {changed > 0 && <span className="sr-only">{wrong ? ', has problems' : ', changed'}</span>}
    </span>
  );
}

/** What concerns the model as a whole. */
function More({ editing, rescoring }: { editing: Editing; rescoring: boolean }) {
  const queries = useQueryClient();
  const [open, setOpen] = useState<'preset' | 'rescore' | null>(null);
  const rescore = useMutation({
    mutationFn: () => rescoreAll(null),
    onSuccess: () => {
      setOpen(null);
      toast('All history is being scored again');
      void queries.invalidateQueries({ queryKey: keys.model.all });
    },
    onError: toastError,
  });
  return (
    <>
      <DropdownMenu
        trigger={<IconButton icon={Ellipsis} kind="secondary" label="More of the model" />}
      >
        <MenuItem icon={Shapes} onSelect={() => setOpen('preset')}>
          Start from a preset…
        </MenuItem>
        <MenuItem icon={RefreshCw} disabled={rescoring} onSelect={() => setOpen('rescore')}>
          Score all history again…
        </MenuItem>
      </DropdownMenu>
      <PresetDialog
        open={open === 'preset'}
        onClose={() => setOpen(null)}
        base={editing.inForce}
        pending={editing.changes.length}
        onUse={editing.replace}
      />
      <ConfirmDialog
        open={open === 'rescore'}
        onClose={() => setOpen(null)}
        onConfirm={() => rescore.mutate()}
        title="Score all history again?"
        action="Score again"
        danger={false}
        busy={rescore.isPending}
      >
        Everything that ever happened is scored by the model in force, in the background; it becomes
        a new version for all history. Scores that an earlier version gave will change. Your edit is
        not part of it.
      </ConfirmDialog>
    </>
  );
}
