import { type ClassValue, clsx } from 'clsx';
import { extendTailwindMerge } from 'tailwind-merge';

const merge = extendTailwindMerge({
  extend: { theme: { text: ['2xs'] } },
});

/** Class names, of which a later one wins over an earlier one that says the same. */
export function cn(...values: ClassValue[]): string {
  return merge(clsx(values));
}
