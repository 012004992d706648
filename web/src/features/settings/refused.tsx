import { Lock } from 'lucide-react';

import type { Permission } from '@/api/permissions';
import { useRefusal } from '@/api/session';
import { Card } from '@/components/ui/layout';
import { EmptyState } from '@/components/ui/states';

/** In place of what the role doesn't show: for whom it is. */
export function Refused({ permission, what }: { permission: Permission; what: string }) {
  const refusal = useRefusal();
  return (
    <Card>
      <EmptyState icon={Lock} title={what} className="py-8">
        {refusal(permission)}
      </EmptyState>
    </Card>
  );
}
