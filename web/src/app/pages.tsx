import { type ErrorComponentProps, Link, useRouter } from '@tanstack/react-router';
import { Compass } from 'lucide-react';

import { Button } from '@/components/ui/button';
import { EmptyState, ErrorState, Loading, Skeleton } from '@/components/ui/states';
import { useTitle } from '@/lib/hooks';

/** While a page's own part is on its way. */
export function PagePending() {
  return (
    <Loading label="The page is loading">
      <div className="flex flex-col gap-4 px-4 pt-5 md:px-6">
        <Skeleton className="h-7 w-48" />
        <Skeleton className="h-24 w-full" />
        <Skeleton className="h-64 w-full" />
      </div>
    </Loading>
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
