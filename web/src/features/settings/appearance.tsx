import { RadioGroup } from '@/components/ui/form';
import { Card } from '@/components/ui/layout';
import { exactTime, number, points } from '@/lib/format';
import { useNow } from '@/lib/hooks';
import { chooseTheme, type Theme, useTheme } from '@/lib/theme';

const THEMES: { value: Theme; label: string; hint: string }[] = [
  {
    value: 'system',
    label: 'Like the system',
    hint: 'Light by day and dark by night, if yours does so.',
  },
  { value: 'light', label: 'Light', hint: 'Dark text on white.' },
  { value: 'dark', label: 'Dark', hint: 'Light text on near black.' },
];

export function AppearanceSection() {
  const theme = useTheme();
  const now = useNow();
  return (
    <>
      <Card title="Theme">
        <RadioGroup label="Theme" value={theme} onChange={chooseTheme} choices={THEMES} />
        <p className="mt-3 text-xs text-muted">Holds for this browser.</p>
      </Card>
      <Card title="Numbers and times">
        <p className="text-sm text-muted">
          Written as your browser’s language has them; times are those of your computer’s time zone.
          The project’s own time zone says only when its days begin.
        </p>
        <dl className="mt-3 grid grid-cols-[auto_1fr] gap-x-6 gap-y-1 text-sm tabular">
          <dt className="text-muted">Language</dt>
          <dd>{navigator.language}</dd>
          <dt className="text-muted">Time zone</dt>
          <dd>{Intl.DateTimeFormat().resolvedOptions().timeZone}</dd>
          <dt className="text-muted">A count</dt>
          <dd>{number(1_234_567)}</dd>
          <dt className="text-muted">A score</dt>
          <dd>{points(87.5)}</dd>
          <dt className="text-muted">Now</dt>
          <dd>{exactTime(now)}</dd>
        </dl>
      </Card>
    </>
  );
}
