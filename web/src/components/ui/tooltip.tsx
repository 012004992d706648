import { Tooltip as Primitive } from 'radix-ui';
import type { ReactNode } from 'react';

type Props = {
  content: ReactNode;
  /** What it belongs to: something that takes the focus. */
  children: ReactNode;
  side?: 'top' | 'right' | 'bottom' | 'left';
};

/** A short explanation. Nothing may stand here alone: a finger never sees it. */
export function Tooltip({ content, children, side = 'bottom' }: Props) {
  return (
    <Primitive.Root>
      <Primitive.Trigger asChild>{children}</Primitive.Trigger>
      <Primitive.Portal>
        <div role="region" aria-label="Hint">
          <Primitive.Content
            side={side}
            sideOffset={6}
            collisionPadding={8}
            className="z-50 max-w-64 animate-in rounded-md bg-ink px-2 py-1 text-xs text-page"
          >
            {content}
          </Primitive.Content>
        </div>
      </Primitive.Portal>
    </Primitive.Root>
  );
}

export function TooltipProvider({ children }: { children: ReactNode }) {
  return (
    <Primitive.Provider delayDuration={400} skipDelayDuration={200}>
      {children}
    </Primitive.Provider>
  );
}
