import { UserRound } from 'lucide-react';

import { cn } from '@/lib/cn';
import { displayName, hue, initials } from '@/lib/people';

type Person = {
  id?: string;
  name?: string | null;
  email?: string | null;
  company?: string | null;
  userId?: string | null;
  anonymousId?: string | null;
};

const SIZES = { sm: 'size-5 text-[9px]', md: 'size-7 text-2xs', lg: 'size-10 text-sm' } as const;

/** Initials on a colour that is the person's everywhere. */
export function Avatar({
  person,
  size = 'md',
  className,
}: {
  person: Person;
  size?: keyof typeof SIZES;
  className?: string;
}) {
  const letters = initials(person);
  const turn = hue(person.id ?? person.email ?? displayName(person));
  return (
    <span
      aria-hidden
      className={cn(
        'inline-flex shrink-0 items-center justify-center rounded-full font-semibold select-none',
        letters === null && 'bg-pressed text-muted',
        SIZES[size],
        className,
      )}
      style={
        letters === null
          ? undefined
          : {
              background: `light-dark(oklch(0.92 0.045 ${turn}), oklch(0.34 0.06 ${turn}))`,
              color: `light-dark(oklch(0.4 0.11 ${turn}), oklch(0.88 0.07 ${turn}))`,
            }
      }
    >
      {letters ?? <UserRound className="size-[55%]" />}
    </span>
  );
}

/** Who somebody is, in one or two lines. */
export function PersonName({ person, className }: { person: Person; className?: string }) {
  const name = displayName(person);
  const below = [person.name ? person.email : null, person.company].filter(Boolean).join(' · ');
  return (
    <span className={cn('flex min-w-0 flex-col', className)}>
      <span className="truncate font-medium" title={name}>
        {name}
      </span>
      {below !== '' && (
        <span className="truncate text-xs text-muted" title={below}>
          {below}
        </span>
      )}
    </span>
  );
}
