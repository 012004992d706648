import type { Touch } from '@/api/lead';
import type { Lead } from '@/api/leads';
import { RelativeTime } from '@/components/ui/text';

import { sourceOf, touchLines } from './touch';

/** Where the person came from, first and last. */
export function Touches({ lead }: { lead: Lead }) {
  const { firstTouch, lastTouch } = lead;
  if (firstTouch === null) {
    return (
      <p className="text-sm text-muted">
        No visit yet: campaign, referrer and landing page come with the first event.
      </p>
    );
  }
  const once = lastTouch === null || lastTouch.at === firstTouch.at;
  return (
    <div className="flex flex-col gap-4">
      <OneTouch name={once ? 'First and only touch' : 'First touch'} touch={firstTouch} />
      {!once && <OneTouch name="Last touch" touch={lastTouch} />}
    </div>
  );
}

function OneTouch({ name, touch }: { name: string; touch: Touch }) {
  return (
    <div className="min-w-0">
      <div className="flex items-baseline justify-between gap-3">
        <h3 className="text-xs text-muted">{name}</h3>
        <RelativeTime at={touch.at} className="text-xs text-muted" />
      </div>
      <p className="truncate font-medium" title={sourceOf(touch)}>
        {sourceOf(touch)}
      </p>
      <dl className="mt-1 grid grid-cols-[96px_minmax(0,1fr)] gap-x-3 gap-y-0.5 text-sm">
        {touchLines(touch).map(({ label, value }) => (
          <div key={label} className="contents">
            <dt className="text-muted">{label}</dt>
            <dd className="truncate" title={value}>
              {value}
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
