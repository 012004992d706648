import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useRouter } from '@tanstack/react-router';
import { Eye, EyeOff, TriangleAlert } from 'lucide-react';
import {
  type ChangeEvent,
  type ComponentProps,
  createContext,
  type ReactNode,
  type SyntheticEvent,
  use,
  useState,
} from 'react';

import { isApiError, messageOf } from '@/api/errors';
import { began, type LoggedIn, optionsQuery } from '@/api/session';
import { ThemeSwitch } from '@/components/theme-switch';
import { Button } from '@/components/ui/button';
import { Field, Input } from '@/components/ui/form';
import { Logo } from '@/components/ui/logo';
import { Notice } from '@/components/ui/states';
import { useTitle } from '@/lib/hooks';

import { goToGoogle } from './google';

type EntryProps = { title: string; lead?: ReactNode; below?: ReactNode; children: ReactNode };

/** A page before signing in: one thing to do. */
export function Entry({ title, lead, below, children }: EntryProps) {
  useTitle(title);
  return (
    <div className="flex min-h-dvh flex-col bg-page text-ink">
      <header className="flex h-14 items-center justify-between px-4 md:px-6">
        <Link to="/" className="rounded-md">
          <Logo />
        </Link>
        <ThemeSwitch />
      </header>
      <main className="mx-auto flex w-full max-w-[400px] flex-1 flex-col px-4 pt-[8dvh] pb-12">
        <h1 className="text-2xl font-semibold tracking-tight">{title}</h1>
        {lead != null && <p className="mt-1.5 text-base text-muted">{lead}</p>}
        <div className="mt-6 flex flex-col gap-4">{children}</div>
        {below != null && <p className="mt-6 text-sm text-muted">{below}</p>}
      </main>
    </div>
  );
}

export const LINK = 'font-medium text-accent-text underline underline-offset-2';

type FormProps = {
  /** What went wrong and belongs to no field. */
  error?: string | null;
  action: string;
  busy: boolean;
  onSubmit: () => void;
  children: ReactNode;
};

/** Whether somebody has tried to go on, so that what is missing is told. */
const Tried = createContext(false);

export function EntryForm({ error, action, busy, onSubmit, children }: FormProps) {
  const [tried, setTried] = useState(false);
  const submit = (event: SyntheticEvent<HTMLFormElement>) => {
    event.preventDefault();
    setTried(true);
    const inputs = [...event.currentTarget.querySelectorAll('input')];
    const wrong = inputs.find((input) => mistake(input.type, input.required, input.value) !== null);
    if (wrong === undefined) onSubmit();
    else wrong.focus();
  };
  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-4">
      {error != null && (
        <Notice tone="danger" icon={TriangleAlert}>
          {error}
        </Notice>
      )}
      <Tried value={tried}>{children}</Tried>
      <Button kind="primary" size="lg" type="submit" busy={busy} className="mt-1 w-full">
        {action}
      </Button>
    </form>
  );
}

/** What can be told without asking the server. */
function mistake(kind: string, required: boolean, value: string): string | null {
  if (value.trim() === '') return required ? 'Please fill this in.' : null;
  return kind === 'email' && !/.@./.test(value) ? 'This is no email address.' : null;
}

type EntryFieldProps = {
  name: string;
  label: string;
  kind?: 'text' | 'email' | 'password';
  autoComplete: string;
  value: string;
  onChange: (value: string) => void;
  optional?: boolean;
  hint?: string;
  error?: string | undefined;
  aside?: ReactNode;
};

/** A field of such a form. What is missing is told before anything is asked of the server. */
export function EntryField(props: EntryFieldProps) {
  const {
    name,
    label,
    kind = 'text',
    value,
    onChange,
    optional = false,
    hint,
    error,
    aside,
  } = props;
  const tried = use(Tried);
  const own = tried ? mistake(kind, !optional, value) : null;
  const control = {
    name,
    autoComplete: props.autoComplete,
    value,
    required: !optional,
    onChange: (event: ChangeEvent<HTMLInputElement>) => onChange(event.target.value),
  };
  return (
    <Field label={label} hint={hint} aside={aside} error={own ?? error}>
      {kind === 'password' ? (
        <PasswordInput {...control} />
      ) : (
        <Input {...control} type={kind} className="h-10" />
      )}
    </Field>
  );
}

/** What a new password is like. */
export const PASSWORD_HINT =
  '10 characters or more. A few unrelated words are easy to keep and hard to guess.';

function PasswordInput(props: ComponentProps<'input'>) {
  const [shown, setShown] = useState(false);
  const Icon = shown ? EyeOff : Eye;
  return (
    <span className="relative">
      <Input {...props} type={shown ? 'text' : 'password'} className="h-10 pr-10" />
      <button
        type="button"
        aria-label={shown ? 'Hide the password' : 'Show the password'}
        aria-pressed={shown}
        className="absolute top-1 right-1 rounded-md p-2 text-muted hover:text-ink"
        onClick={() => setShown(!shown)}
      >
        <Icon aria-hidden className="size-4" />
      </button>
    </span>
  );
}

/** What to say of an error above the form: nothing when its fields say it all. */
export function aboveForm(error: unknown, fields: readonly string[]): string | null {
  if (error == null) return null;
  if (isApiError(error, 'too_many') && error.retryAfter !== null) {
    const minutes = Math.ceil(error.retryAfter / 60);
    return `Too many tries. Please wait ${minutes === 1 ? 'a minute' : `${minutes} minutes`}.`;
  }
  if (isApiError(error) && error.errors.some(({ field }) => fields.includes(field))) return null;
  return messageOf(error);
}

export function fieldOf(error: unknown, name: string): string | undefined {
  return isApiError(error) ? error.field(name) : undefined;
}

/** Goes on inside, with nothing left of who was here before. */
export function useEnter(): (session: LoggedIn, next: string) => void {
  const router = useRouter();
  const queries = useQueryClient();
  return (session, next) => {
    began(session);
    queries.clear();
    void router.navigate({ href: next, replace: true });
  };
}

/** The way in by Google, where it is set up. */
export function GoogleWay({ next }: { next: string }) {
  const { data } = useQuery(optionsQuery);
  const clientId = data?.googleClientId;
  if (clientId == null) return null;
  return (
    <>
      <Button size="lg" className="w-full" onClick={() => goToGoogle(clientId, next)}>
        <svg aria-hidden viewBox="0 0 24 24" className="size-4">
          <path
            fill="#4285f4"
            d="M22.5 12.2c0-.8-.1-1.5-.2-2.2H12v4.3h5.9a5 5 0 0 1-2.2 3.3v2.7h3.5a10.7 10.7 0 0 0 3.3-8.1Z"
          />
          <path
            fill="#34a853"
            d="M12 23c2.9 0 5.4-1 7.2-2.6l-3.5-2.8a6.6 6.6 0 0 1-9.9-3.5H2.200V17A11 11 0 0 0 12 23Z"
          />
          <path fill="#fbbc05" d="M5.8 14.1a6.6 6.6 0 0 1 0-4.2V7H2.200a11 11 0 0 0 0 9.9Z" />
          <path
            fill="#ea4335"
            d="M12 5.4c1.6 0 3.100.6 4.2 1.600l3.1-3.1A11 11 0 0 0 2.200 7l3.6 2.9A6.6 6.6 0 0 1 12 5.400Z"
          />
        </svg>
        Continue with Google
      </Button>
      <div className="flex items-center gap-3 text-xs text-muted">
        <span className="h-px flex-1 bg-line" />
        or
        <span className="h-px flex-1 bg-line" />
      </div>
    </>
  );
}
