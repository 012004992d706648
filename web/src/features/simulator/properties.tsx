import { Plus, X } from 'lucide-react';

import { Button, IconButton } from '@/components/ui/button';
import { Field, Input, Segments, Textarea } from '@/components/ui/form';

import { type Draft, toRows, toText } from './draft';

type Props = {
  draft: Draft;
  error: string | undefined;
  onChange: (changes: Partial<Draft>) => void;
};

/** What an event carries, as rows or as JSON. */
export function Properties({ draft, error, onChange }: Props) {
  const { rows, json, text } = draft;
  const turn = (to: 'rows' | 'json') => {
    if (to === 'json') onChange({ json: true, text: rows.length === 0 ? '{}' : toText(rows) });
    else {
      const parsed = toRows(text);
      // What can't be read stays to be mended.
      if (parsed !== null) onChange({ json: false, rows: parsed });
    }
  };
  const change = (index: number, changes: Partial<Draft['rows'][number]>) =>
    onChange({ rows: rows.map((row, at) => (at === index ? { ...row, ...changes } : row)) });
  return (
    <div role="group" aria-labelledby="properties" className="flex flex-col gap-2">
      <div className="flex items-center justify-between gap-2">
        <span id="properties" className="text-sm font-medium">
          Properties
        </span>
        <Segments
          label="Properties as"
          value={json ? 'json' : 'rows'}
          choices={[
            { value: 'rows', label: 'Rows' },
            { value: 'json', label: 'JSON' },
          ]}
          onChange={turn}
        />
      </div>
      {json ? (
        <Field label="Properties as JSON" hideLabel error={error}>
          <Textarea
            rows={6}
            spellCheck={false}
            className="font-mono text-xs"
            value={text}
            onChange={(event) => onChange({ text: event.target.value })}
          />
        </Field>
      ) : (
        <>
          {rows.map((row, index) => (
            <div key={index} className="flex items-center gap-2">
              <Input
                aria-label={`Name of property ${index + 1}`}
                placeholder="name"
                className="w-2/5 font-mono text-xs"
                spellCheck={false}
                value={row.key}
                onChange={(event) => change(index, { key: event.target.value })}
              />
              <Input
                aria-label={`Value of property ${index + 1}`}
                placeholder="value"
                className="flex-1 font-mono text-xs"
                spellCheck={false}
                value={row.value}
                onChange={(event) => change(index, { value: event.target.value })}
              />
              <IconButton
                icon={X}
                label={`Take away property ${index + 1}`}
                onClick={() => onChange({ rows: rows.filter((_, at) => at !== index) })}
              />
            </div>
          ))}
          <Button
            size="sm"
            kind="ghost"
            icon={Plus}
            className="self-start"
            onClick={() => onChange({ rows: [...rows, { key: '', value: '' }] })}
          >
            Add a property
          </Button>
        </>
      )}
    </div>
  );
}
