import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { type ModelParts, presetsQuery } from '@/api/model';
import { Button } from '@/components/ui/button';
import { Dialog } from '@/components/ui/dialog';
import { RadioGroup } from '@/components/ui/form';
import { ErrorState, Loading, Notice, Skeleton } from '@/components/ui/states';
import * as format from '@/lib/format';

import { ChangesList } from './changes-list';
import { changes } from './diff';
import { fromPreset } from './model';

type CompareProps = {
  /** The model in force. */
  base: ModelParts;
  wanted: ModelParts;
  /** How many changes the edit holds by now; they would be lost. */
  pending: number;
};

/** What of the model in force another one would change. */
export function Comparison({ base, wanted, pending }: CompareProps) {
  const found = changes(base, wanted);
  if (found.length === 0) return <Notice>It says the same as the model in force.</Notice>;
  return (
    <div className="flex flex-col gap-3">
      <p className="text-sm text-muted">
        {format.count(found.length, 'change')} to the model in force. Nothing is published yet.
      </p>
      {pending > 0 && (
        <Notice tone="warn">
          It takes the place of {format.count(pending, 'change')} that you have not published.
        </Notice>
      )}
      <ChangesList changes={found} />
    </div>
  );
}

const TOLD = {
  leadpulse: {
    label: 'LeadPulse',
    hint: 'For websites with a product behind: eleven rules, daily caps, trusted contracts.',
  },
  classic: {
    label: 'Classic',
    hint: 'Five rules with few points, and scores that fall by a fifth each week.',
  },
  sales: {
    label: 'Sales',
    hint: 'Five rules with many points, and stages that take more to reach.',
  },
} as const;

type Props = {
  open: boolean;
  onClose: () => void;
  base: ModelParts;
  pending: number;
  onUse: (model: ModelParts) => void;
};

/** Starts again from one of the ready models, after showing what that changes. */
export function PresetDialog({ open, onClose, base, pending, onUse }: Props) {
  const [name, setName] = useState<keyof typeof TOLD>('leadpulse');
  const presets = useQuery({ ...presetsQuery, enabled: open });
  const preset = presets.data?.presets.find((one) => one.name === name);
  const wanted = preset && fromPreset(base, preset);
  return (
    <Dialog
      open={open}
      onClose={onClose}
      width="lg"
      title="Start from a preset"
      description="Becomes your edit, which you can still change before you publish it."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            kind="primary"
            disabled={wanted === undefined}
            onClick={() => {
              if (wanted === undefined) return;
              onUse(wanted);
              onClose();
            }}
          >
            Use as my edit
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <RadioGroup
          label="Preset"
          value={name}
          onChange={setName}
          choices={Object.entries(TOLD).map(([value, told]) => ({
            value: value as keyof typeof TOLD,
            ...told,
          }))}
        />
        {presets.isError && presets.data === undefined ? (
          <ErrorState
            error={presets.error}
            title="The presets can’t be shown"
            onRetry={() => void presets.refetch()}
          />
        ) : wanted === undefined ? (
          <Loading label="The preset is loading">
            <Skeleton className="h-32" />
          </Loading>
        ) : (
          <Comparison base={base} wanted={wanted} pending={pending} />
        )}
      </div>
    </Dialog>
  );
}
