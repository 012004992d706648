import { getRouteApi } from '@tanstack/react-router';

import { PageHeader } from '@/components/ui/layout';
import { Tabs } from '@/components/ui/tabs';

import { IdentityPanel } from './identity-panel';
import { Install } from './install';
import { KeysPanel } from './keys-panel';

const route = getRouteApi('/shell/integrations');

export function IntegrationsPage() {
  const { tab, code } = route.useSearch();
  const navigate = route.useNavigate();
  const pad = 'px-4 pt-4 md:px-6';
  return (
    <div className="flex min-h-full flex-col pb-6">
      <PageHeader
        title="Integrations"
        description="How websites and servers send their events here."
      />
      <Tabs
        label="Integrations"
        className="md:[&>[role=tablist]]:px-6"
        value={tab}
        onChange={(next) => void navigate({ search: (now) => ({ ...now, tab: next }) })}
        tabs={[
          {
            value: 'install',
            label: 'Install',
            content: (
              <div className={pad}>
                <Install
                  code={code}
                  onCode={(next) =>
                    void navigate({ search: (now) => ({ ...now, code: next }), replace: true })
                  }
                />
              </div>
            ),
          },
          {
            value: 'keys',
            label: 'Keys',
            content: (
              <div className={pad}>
                <KeysPanel />
              </div>
            ),
          },
          {
            value: 'identity',
            label: 'Identity verification',
            content: (
              <div className={pad}>
                <IdentityPanel />
              </div>
            ),
          },
        ]}
      />
    </div>
  );
}
