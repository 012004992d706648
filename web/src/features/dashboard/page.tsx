import { getRouteApi } from '@tanstack/react-router';

import { keys } from '@/api/keys';
import { useLiveQueries } from '@/api/live';
import { useProject } from '@/api/session';
import { PageHeader } from '@/components/ui/layout';

import { ByType } from './by-type';
import { Changes } from './changes';
import { Figures } from './figures';
import { FirstSteps } from './first-steps';
import { Queue } from './queue';
import { SampleNotice } from './sample-notice';
import { Stages } from './stages';
import { Throughput } from './throughput';
import { ToCall } from './to-call';

const route = getRouteApi('/shell/dashboard');

export function DashboardPage() {
  const { period } = route.useSearch();
  const navigate = route.useNavigate();
  const project = useProject();
  useLiveQueries(
    ['newEvent', 'leadUpdated', 'scoreMutation'],
    [keys.analytics.part('dashboard'), keys.project.part(project.id, 'first-steps')],
  );
  return (
    <div className="flex flex-col pb-6">
      <PageHeader title="Dashboard" description={`How ${project.name} is doing right now.`} />
      <div className="flex flex-col gap-4 px-4 md:px-6">
        <SampleNotice />
        <FirstSteps />
        <Figures />
        <div className="grid grid-cols-1 gap-4 xl:grid-cols-3">
          <ToCall className="xl:col-span-2" />
          <div className="flex min-w-0 flex-col gap-4">
            <Stages />
            <Queue />
          </div>
        </div>
        <Throughput
          period={period}
          onPeriod={(next) => void navigate({ search: { period: next }, replace: true })}
        />
        <div className="grid grid-cols-1 gap-4 xl:grid-cols-3">
          <Changes className="xl:col-span-2" />
          <ByType />
        </div>
      </div>
    </div>
  );
}
