import { Minus, Pencil, Plus, Undo2 } from 'lucide-react';

import { IconButton } from '@/components/ui/button';
import { cn } from '@/lib/cn';

import type { Change } from './diff';
import { TAB_NAMES } from './view';

const KIND = {
  added: { icon: Plus, word: 'added', tone: 'text-good-text' },
  removed: { icon: Minus, word: 'removed', tone: 'text-danger-text' },
  changed: { icon: Pencil, word: 'changed', tone: 'text-muted' },
} as const;

/** Changes of a model in words, each of which can be taken back. */
export function ChangesList({
  changes,
  onUndo,
}: {
  changes: readonly Change[];
  onUndo?: (change: Change) => void;
}) {
  return (
    <ul aria-label="Changes" className="divide-y divide-line rounded-lg border border-line">
      {changes.map((change) => {
        const { icon: Icon, word, tone } = KIND[change.kind];
        return (
          <li key={change.key} className="flex items-start gap-2.5 px-3 py-2">
            <Icon aria-hidden className={cn('mt-0.5 size-4 shrink-0', tone)} />
            <div className="min-w-0 flex-1 text-sm">
              <p className="font-medium break-words">
                {change.what}
                <span className={cn('ml-1.5 text-xs font-normal', tone)}>{word}</span>
                <span className="sr-only"> in {TAB_NAMES[change.tab]}</span>
              </p>
              {change.how.map((line) => (
                <p key={line} className="break-words text-muted tabular">
                  {line}
                </p>
              ))}
            </div>
            {onUndo && (
              <IconButton
                icon={Undo2}
                size="sm"
                label={`Take back: ${change.what} ${word}`}
                onClick={() => onUndo(change)}
              />
            )}
          </li>
        );
      })}
    </ul>
  );
}
