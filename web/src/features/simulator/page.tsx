import { getRouteApi } from '@tanstack/react-router';
import { Info } from 'lucide-react';

import { useRefusal } from '@/api/session';
import { Card, PageHeader } from '@/components/ui/layout';
import { Notice } from '@/components/ui/states';
import { Tabs } from '@/components/ui/tabs';

import { EventForm } from './event-form';
import { SentHistory } from './history';
import { JourneyPanel } from './journey-panel';
import { Outcome } from './outcome';
import { useJourney } from './use-journey';

const route = getRouteApi('/shell/simulator');

export function SimulatorPage() {
  const view = route.useSearch();
  const navigate = route.useNavigate();
  const refused = useRefusal()('events.send');
  const { playing, start, stop } = useJourney();
  const change = (changes: Partial<typeof view>, replace = true) =>
    void navigate({ search: (now) => ({ ...now, ...changes }), replace });
  const open = (event: string) => change({ event }, false);
  const last = playing?.played.findLast(({ sent }) => sent.id !== null)?.sent.id ?? undefined;
  const follows = view.tab === 'journey' && playing?.state === 'runs';

  return (
    <div className="flex min-h-full flex-col pb-6">
      <PageHeader
        title="Simulator"
        description="Send any event as anybody, and watch what becomes of it."
      />
      <div className="flex flex-col gap-4 px-4 md:px-6">
        <Notice icon={Info}>
          {refused === null
            ? 'What you send here are real events of this project: they make leads and move scores, unless you mark them as a test.'
            : `Events sent here are real events of the project, so that sending ${refused.charAt(0).toLowerCase()}${refused.slice(1)}`}
        </Notice>
        <div className="grid min-w-0 grid-cols-1 items-start gap-4 lg:grid-cols-2">
          <Card flush className="pt-1">
            <Tabs
              label="What to send"
              value={view.tab}
              onChange={(tab) => change({ tab }, false)}
              tabs={[
                {
                  value: 'event',
                  label: 'One event',
                  content: (
                    <div className="p-4">
                      <EventForm view={view} onChange={(changes) => change(changes, false)} />
                    </div>
                  ),
                },
                {
                  value: 'journey',
                  label: 'Play a journey',
                  content: (
                    <div className="p-4">
                      <JourneyPanel
                        playing={playing}
                        test={view.test}
                        onTest={(test) => change({ test })}
                        onStart={(journey) => {
                          change({ event: undefined });
                          void start(journey, view.test);
                        }}
                        onStop={stop}
                        onOpen={open}
                      />
                    </div>
                  ),
                },
              ]}
            />
          </Card>
          <div className="flex min-w-0 flex-col gap-4">
            <Outcome id={follows ? last : (view.event ?? last)} />
            <SentHistory current={view.event} onOpen={open} />
          </div>
        </div>
      </div>
    </div>
  );
}
