import { useEffect } from 'react';

/** Marks what sits at the right edge, for libraries that would make room for the scroll bar. */
export const zeroRightClassName = 'lp-edge';
export const fullWidthClassName = 'lp-full';
export const noScrollbarsClassName = 'lp-no-bars';
export const removedBarSizeVariable = '--removed-body-scroll-bar-size';

let locks = 0;

/** Keeps the page behind a dialog from scrolling, by a property instead of a written style. */
export function RemoveScrollBar(): null {
  useEffect(() => {
    const { style } = document.documentElement;
    locks += 1;
    style.overflow = 'hidden';
    return () => {
      locks -= 1;
      if (locks === 0) style.overflow = '';
    };
  }, []);
  return null;
}
