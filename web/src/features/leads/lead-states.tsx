import { Link } from '@tanstack/react-router';
import { UserRoundX } from 'lucide-react';

import { isApiError } from '@/api/errors';
import { Button } from '@/components/ui/button';
import { EmptyState, ErrorState, Loading, Skeleton } from '@/components/ui/states';

/** Why one lead can't be shown. */
export function LeadFailed({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  if (isApiError(error) && (error.status === 404 || error.status === 422)) {
    return (
      <EmptyState
        icon={UserRoundX}
        title="There is no such lead"
        className="min-h-[50dvh] justify-center"
        action={
          <Button asChild kind="primary">
            <Link to="/leads">See all leads</Link>
          </Button>
        }
      >
        It was removed or erased, or the address belongs to another project.
      </EmptyState>
    );
  }
  return (
    <ErrorState
      error={error}
      title="The lead can’t be shown"
      className="min-h-[50dvh] justify-center"
      onRetry={onRetry}
    />
  );
}

export function LeadSkeleton() {
  return (
    <Loading label="The lead is loading">
      <div className="flex flex-col gap-4 p-4">
        <div className="flex items-center gap-3">
          <Skeleton className="size-10 rounded-full" />
          <div className="flex flex-1 flex-col gap-2">
            <Skeleton className="h-5 w-40" />
            <Skeleton className="h-3.5 w-56" />
          </div>
        </div>
        <Skeleton className="h-14 w-full" />
        <Skeleton className="h-20 w-full" />
        <Skeleton className="h-55 w-full" />
      </div>
    </Loading>
  );
}
