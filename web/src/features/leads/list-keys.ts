import { type RefObject, useEffect, useRef } from 'react';

type Options = {
  /** Around the list. */
  box: RefObject<HTMLElement | null>;
  /** While a drawer is open: what j and k do. */
  onPrevious: (() => void) | null;
  onNext: (() => void) | null;
};

function types(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.closest('input, textarea, select, [role="menu"]') !== null)
  );
}

/**
 * j and k, for hands that stay where they are: through the rows of the list, and with a drawer
 * open from one lead to the next. Arrows come into the list when nothing has the focus.
 */
export function useListKeys(options: Options): void {
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return;
      const { box, onPrevious, onNext } = latest.current;
      const down = event.key === 'j' || event.key === 'ArrowDown';
      const up = event.key === 'k' || event.key === 'ArrowUp';
      if ((!down && !up) || types(event.target)) return;
      if (document.querySelector('[role="alertdialog"], [aria-modal="true"]') !== null) return;
      const letter = event.key === 'j' || event.key === 'k';
      if (letter && (onPrevious !== null || onNext !== null)) {
        event.preventDefault();
        (down ? onNext : onPrevious)?.();
        return;
      }
      const row = document.activeElement;
      if (row instanceof HTMLElement && row.dataset.row !== undefined) {
        // The list knows its arrows.
        if (!letter) return;
        event.preventDefault();
        const key = down ? 'ArrowDown' : 'ArrowUp';
        row.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
      } else if (row === null || row === document.body || row.id === 'main') {
        event.preventDefault();
        box.current?.querySelector<HTMLElement>('[data-row][tabindex="0"]')?.focus();
      }
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);
}
