import { useMutation } from '@tanstack/react-query';
import {
  Calculator,
  Copy,
  Download,
  Ellipsis,
  Eraser,
  GitMerge,
  PenLine,
  Trash2,
} from 'lucide-react';

import { recalculateLead } from '@/api/lead';
import type { Lead } from '@/api/leads';
import { useMay } from '@/api/session';
import { type Action, useActions } from '@/components/ui/actions';
import { IconButton } from '@/components/ui/button';
import { DropdownMenu, MenuItem, MenuSeparator } from '@/components/ui/menu';
import { toast, toastError } from '@/components/ui/toast';
import { copyText } from '@/lib/clipboard';

import { useOpen } from './controls';
import { AdjustDialog, EraseDialog, MergeDialog, RemoveDialog } from './deeds';

type Props = {
  lead: Lead;
  /** The lead is there no longer. */
  onGone: () => void;
  /** It is another one now. */
  onMerged: (survivor: string) => void;
};

/** Everything else that can be done with a lead. */
export function MoreMenu({ lead, onGone, onMerged }: Props) {
  const may = useMay();
  const [adjust, merge, remove, erase] = [useOpen(), useOpen(), useOpen(), useOpen()];
  const recalculate = useMutation({
    mutationFn: () => recalculateLead(lead.id),
    onSuccess: () => toast('The score is calculated anew from all events'),
    onError: toastError,
  });
  const copy = () => {
    void copyText(lead.id).then((copied) => {
      if (copied) toast('The id is copied');
      else toastError('The browser did not let the id be copied.');
    });
  };
  const deeds: (Action & { icon: typeof Copy; allowed: boolean })[] = [
    {
      id: 'adjust',
      label: 'Adjust the score',
      icon: PenLine,
      allowed: may('leads.write'),
      run: adjust.show,
    },
    {
      id: 'merge',
      label: 'Merge with another lead',
      icon: GitMerge,
      allowed: may('leads.write'),
      run: merge.show,
    },
    {
      id: 'recalculate',
      label: 'Recalculate the score',
      icon: Calculator,
      allowed: may('operate'),
      run: () => recalculate.mutate(),
    },
    { id: 'copy', label: 'Copy the id', icon: Copy, allowed: true, run: copy },
  ];
  const allowed = deeds.filter((deed) => deed.allowed);
  useActions(allowed.map((deed) => ({ ...deed, id: `lead-${deed.id}` })));
  return (
    <>
      <DropdownMenu trigger={<IconButton kind="secondary" icon={Ellipsis} label="More" />}>
        {allowed.map(({ id, label, icon, run }) => (
          <MenuItem key={id} icon={icon} onSelect={run}>
            {label}
          </MenuItem>
        ))}
        {may('person.export') && (
          <MenuItem asChild>
            <a href={`/api/leads/${lead.id}/export`} download className="text-ink">
              <Download aria-hidden className="size-4 text-muted" />
              Export everything about the person
            </a>
          </MenuItem>
        )}
        {may('leads.remove') && (
          <>
            <MenuSeparator />
            <MenuItem icon={Trash2} danger onSelect={remove.show}>
              Remove the lead
            </MenuItem>
            <MenuItem icon={Eraser} danger onSelect={erase.show}>
              Erase the person
            </MenuItem>
          </>
        )}
      </DropdownMenu>
      <AdjustDialog lead={lead} open={adjust.open} onClose={adjust.close} />
      <MergeDialog lead={lead} open={merge.open} onClose={merge.close} onMerged={onMerged} />
      <RemoveDialog lead={lead} open={remove.open} onClose={remove.close} onGone={onGone} />
      <EraseDialog lead={lead} open={erase.open} onClose={erase.close} onGone={onGone} />
    </>
  );
}
