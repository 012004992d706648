import { Info } from 'lucide-react';

import { useProject, useRefusal } from '@/api/session';
import { Card } from '@/components/ui/layout';
import { Notice } from '@/components/ui/states';
import { Tabs } from '@/components/ui/tabs';
import { CodeBlock, CopyButton } from '@/components/ui/text';

import { Arrivals } from './arrivals';
import { BROWSER_CALLS, policy, type Snippet, snippets } from './snippets';
import type { Language } from './view';

type Props = { code: Language; onCode: (code: Language) => void };

/** Code to send the first event with, and the place where it arrives. */
export function Install({ code, onCode }: Props) {
  const { writeKey } = useProject();
  const host = location.origin;
  return (
    <div className="grid min-w-0 grid-cols-1 items-start gap-4 xl:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
      <div className="flex min-w-0 flex-col gap-4">
        <WriteKey writeKey={writeKey} />
        <Card flush title="Send events">
          <Tabs
            label="Language"
            value={code}
            onChange={onCode}
            tabs={snippets(host, writeKey).map((snippet) => ({
              value: snippet.language,
              label: snippet.label,
              content: <Shown snippet={snippet} host={host} />,
            }))}
          />
        </Card>
      </div>
      <Arrivals host={host} writeKey={writeKey} />
    </div>
  );
}

function WriteKey({ writeKey }: { writeKey: string | null }) {
  const refused = useRefusal()('keys.write');
  return (
    <Card title="Write key">
      <div className="flex flex-col gap-2">
        {writeKey === null ? (
          <Notice icon={Info}>
            {refused === null
              ? 'No write key is in use: make one under Keys.'
              : `The write key is not shown to you. ${refused}`}
          </Notice>
        ) : (
          <span className="flex h-9 items-center justify-between gap-2 rounded-md border border-line bg-subtle pr-1 pl-3">
            <code className="truncate font-mono text-sm" title={writeKey}>
              {writeKey}
            </code>
            <CopyButton text={writeKey} label="Copy the write key" />
          </span>
        )}
        <p className="text-xs text-muted">
          It stands in web pages, where everybody can read it: it sends events to this project and
          does nothing else.
        </p>
      </div>
    </Card>
  );
}

function Shown({ snippet, host }: { snippet: Snippet; host: string }) {
  const { language, label, says, code } = snippet;
  return (
    <div className="flex flex-col gap-3 p-4">
      <p className="text-sm text-muted">{says}</p>
      <CodeBlock label={`${label} snippet`} code={code} />
      {language === 'browser' && (
        <>
          <p className="text-sm text-muted">
            Then tell what matters and who it is, from the page’s own code:
          </p>
          <CodeBlock label="Browser calls" code={BROWSER_CALLS} />
          <p className="text-sm text-muted">
            A website with a Content-Security-Policy allows this host:
          </p>
          <CodeBlock label="Policy" code={policy(host)} />
        </>
      )}
    </div>
  );
}
