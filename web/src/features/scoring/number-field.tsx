import { type ReactNode, useState } from 'react';

import { Field, Input } from '@/components/ui/form';
import { cn } from '@/lib/cn';

type Props = {
  label: string;
  value: number | null;
  /** Null only where nothing may stand there; NaN for what is no number (yet). */
  onChange: (value: number | null) => void;
  /** Nothing is a value, too. */
  optional?: boolean;
  error?: string | null | undefined;
  hint?: ReactNode;
  /** What it counts, behind it. */
  unit?: string;
  step?: number | 'any';
  placeholder?: string;
  disabled?: boolean;
  hideLabel?: boolean;
  className?: string;
};

/** A number of the model. What is half typed stays in the field as it is. */
export function NumberField(props: Props) {
  const { label, value, onChange, optional = false, error, hint, unit, className } = props;
  const [draft, setDraft] = useState(written(value));
  const [known, setKnown] = useState(value);
  // Changed from elsewhere: a handle that was dragged, an edit taken back.
  if (!Object.is(known, value)) {
    setKnown(value);
    setDraft(written(value));
  }
  return (
    <Field
      label={label}
      error={error}
      hint={hint}
      hideLabel={props.hideLabel === true}
      className={className}
    >
      <span className="flex items-center gap-2">
        <NumberInput
          value={draft}
          step={props.step ?? 'any'}
          placeholder={props.placeholder}
          disabled={props.disabled}
          onText={(text, number) => {
            const next = text === '' && optional ? null : number;
            setDraft(text);
            setKnown(next);
            onChange(next);
          }}
        />
        {unit !== undefined && <span className="text-sm whitespace-nowrap text-muted">{unit}</span>}
      </span>
    </Field>
  );
}

function written(value: number | null): string {
  return value === null || Number.isNaN(value) ? '' : String(value);
}

function NumberInput({
  onText,
  ...rest
}: {
  value: string;
  step: number | 'any';
  placeholder: string | undefined;
  disabled: boolean | undefined;
  onText: (text: string, number: number) => void;
}) {
  return (
    <Input
      {...rest}
      type="number"
      autoComplete="off"
      className={cn('max-w-32 tabular')}
      onChange={(event) => onText(event.target.value, event.target.valueAsNumber)}
      // A wheel over the page must not change what is scored.
      onWheel={(event) => event.currentTarget.blur()}
    />
  );
}
