import { type ErrorComponentProps, Link, useLocation, useRouter } from '@tanstack/react-router';
import { Compass } from 'lucide-react';

import { Button } from '@/components/ui/button';
import { PageHeader } from '@/components/ui/layout';
import { EmptyState, ErrorState, Loading, Skeleton } from '@/components/ui/states';
import { cn } from '@/lib/cn';
import { useTitle } from '@/lib/hooks';

import { NAV } from './shell/nav';

const PLACES = NAV.flatMap(({ items }) => items);

/** While a page's own part is on its way: its name, where the menu knows it. */
export function PagePending() {
  const path = useLocation({ select: ({ pathname }) => pathname });
  const place = PLACES.find(({ to }) => to === path);
  return (
    <>
      {place !== undefined && <PageHeader title={place.label} />}
      <Loading label="The page is loading">
        <div className={cn('flex flex-col gap-4 px-4 md:px-6', place === undefined && 'pt-5')}>
          {place === undefined && <Skeleton className="h-7 w-48" />}
          <Skeleton className="h-24 w-full" />
          <Skeleton className="h-64 w-full" />
        </div>
      </Loading>
    </>
  );
}

export function PageUnknown() {
  useTitle('Not found');
  return (
    <EmptyState
      icon={Compass}
      titleAs="h1"
      title="There is no page at this address"
      className="min-h-[70dvh] justify-center"
      action={
        <Button asChild kind="primary">
          <Link to="/">Go to the start</Link>
        </Button>
      }
    >
      It may have been moved, or the address has a mistake in it.
    </EmptyState>
  );
}

/** The same outside of the shell, where nothing stands around it. */
export function AddressUnknown() {
  return (
    <main>
      <PageUnknown />
    </main>
  );
}

/** A page that broke; the others go on working. */
export function PageError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <ErrorState
      error={error}
      title="This page can’t be shown"
      className="min-h-[70dvh] justify-center"
      onRetry={() => {
        reset();
        void router.invalidate();
      }}
    />
  );
}
