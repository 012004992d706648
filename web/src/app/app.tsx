import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useState } from 'react';

import { makeQueryClient } from '@/api/query';
import { Toaster } from '@/components/ui/toast';
import { TooltipProvider } from '@/components/ui/tooltip';

import { makeRouter } from './router';

export function App() {
  const [{ queries, router }] = useState(() => {
    const client = makeQueryClient();
    return { queries: client, router: makeRouter(client) };
  });
  return (
    <QueryClientProvider client={queries}>
      <TooltipProvider>
        <RouterProvider router={router} />
        <Toaster />
      </TooltipProvider>
    </QueryClientProvider>
  );
}
