import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { CornerDownLeft, type LucideIcon, Moon, Search, Sun, Zap } from 'lucide-react';
import { Dialog } from 'radix-ui';
import { type ReactNode, useEffect, useId, useRef, useState } from 'react';

import { leadSearchQuery } from '@/api/leads';
import { isOpen, useMe } from '@/api/session';
import { useOffered } from '@/components/ui/actions';
import { StageBadge } from '@/components/ui/badge';
import { Avatar, PersonName } from '@/components/ui/person';
import { Kbd } from '@/components/ui/text';
import { toastError } from '@/components/ui/toast';
import { cn } from '@/lib/cn';
import { useSettled } from '@/lib/hooks';
import { chooseTheme, useShownTheme } from '@/lib/theme';

import { openProject } from './account';
import { useNav } from './sidebar';

type Entry = { id: string; group: string; words: string; body: ReactNode; run: () => void };

function line(icon: LucideIcon | undefined, label: string): ReactNode {
  const Icon = icon ?? Zap;
  return (
    <>
      <Icon aria-hidden className="size-4 shrink-0 text-muted" />
      <span className="truncate">{label}</span>
    </>
  );
}

/** Finds whether every word of the search begins a word of the text. */
function fits(text: string, query: string): boolean {
  const words = text.toLowerCase().split(/\s+/);
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((wanted) => words.some((word) => word.startsWith(wanted)));
}

function useEntries(query: string): Entry[] {
  const navigate = useNavigate();
  const nav = useNav();
  const offered = useOffered();
  const dark = useShownTheme() === 'dark';
  const { project, projects } = useMe();
  const settled = useSettled(query.trim(), 150);
  const { data } = useQuery(leadSearchQuery(settled));

  const go = (href: string) => () => void navigate({ href });
  const actions: Entry[] = offered.map(({ id, label, icon, words = '', run }) => ({
    id: `action:${id}`,
    group: 'Actions',
    words: `${label} ${words}`,
    body: line(icon, label),
    run,
  }));
  const pages: Entry[] = nav
    .flatMap(({ items }) => items)
    .map(({ to, label, icon }) => ({
      id: `page:${to}`,
      group: 'Pages',
      words: label,
      body: line(icon, label),
      run: go(to),
    }));
  const others: Entry[] = [
    ...projects
      .filter((one) => isOpen(one) && one.id !== project?.id)
      .map(({ id, name }) => ({
        id: `project:${id}`,
        group: 'More',
        words: `switch to project ${name}`,
        body: line(undefined, `Switch to ${name}`),
        run: () => {
          openProject(id, name).catch(toastError);
        },
      })),
    {
      id: 'theme',
      group: 'More',
      words: 'theme dark light mode',
      body: line(dark ? Sun : Moon, dark ? 'Use the light theme' : 'Use the dark theme'),
      run: () => chooseTheme(dark ? 'light' : 'dark'),
    },
  ];
  const fixed = [...actions, ...pages, ...others].filter(
    ({ words }) => query.trim() === '' || fits(words, query.trim()),
  );
  const leads: Entry[] =
    settled.length < 2
      ? []
      : (data?.leads ?? []).map((lead) => ({
          id: `lead:${lead.id}`,
          group: 'Leads',
          words: '',
          body: (
            <>
              <Avatar person={lead} />
              <PersonName person={lead} className="flex-1" />
              <StageBadge stage={lead.leadStage} />
            </>
          ),
          run: go(`/leads/${lead.id}`),
        }));
  return [...leads, ...fixed];
}

/** Finds leads, pages and actions by a few letters. */
export default function CommandMenu({ onClose }: { onClose: () => void }) {
  const id = useId();
  const [query, setQuery] = useState('');
  const [chosen, setChosen] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const entries = useEntries(query);
  const at = Math.min(chosen, entries.length - 1);
  const active = entries[at];

  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [active?.id]);

  const run = (entry: Entry | undefined) => {
    if (entry === undefined) return;
    onClose();
    entry.run();
  };
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 animate-in bg-(--overlay)" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed top-[10dvh] left-1/2 z-40 flex max-h-[70dvh] w-[calc(100vw-16px)] max-w-[600px] -translate-x-1/2 animate-in flex-col overflow-hidden rounded-xl border border-line bg-surface shadow-pop focus:outline-none"
        >
          <Dialog.Title className="sr-only">Search</Dialog.Title>
          <div className="flex items-center gap-3 border-b border-line px-4">
            <Search aria-hidden className="size-4 shrink-0 text-muted" />
            <input
              role="combobox"
              aria-expanded
              aria-autocomplete="list"
              aria-controls={`${id}-list`}
              aria-activedescendant={active && `${id}-${at}`}
              aria-label="Search leads, pages and actions"
              placeholder="Leads, pages, actions"
              value={query}
              // eslint-disable-next-line jsx-a11y/no-autofocus -- one opens it to type
              autoFocus
              onChange={(event) => {
                setQuery(event.target.value);
                setChosen(0);
              }}
              onKeyDown={(event) => {
                const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
                if (step !== undefined && entries.length > 0) {
                  event.preventDefault();
                  setChosen((at + step + entries.length) % entries.length);
                } else if (event.key === 'Enter') {
                  event.preventDefault();
                  run(active);
                }
              }}
              className="h-12 min-w-0 flex-1 bg-transparent text-lg focus:outline-none"
            />
            <Kbd>Esc</Kbd>
          </div>
          <div
            ref={list}
            id={`${id}-list`}
            role="listbox"
            aria-label="Found"
            className="min-h-0 flex-1 overflow-y-auto p-1.5"
          >
            {entries.map((entry, index) => (
              <div key={entry.id} role="presentation">
                {entries[index - 1]?.group !== entry.group && (
                  <p
                    role="presentation"
                    className="px-2.5 pt-2 pb-1 text-xs font-medium text-faint"
                  >
                    {entry.group}
                  </p>
                )}
                {/* eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus -- the field above has the focus and hears the keys */}
                <div
                  id={`${id}-${index}`}
                  role="option"
                  aria-selected={index === at}
                  onClick={() => run(entry)}
                  onPointerMove={() => setChosen(index)}
                  className={cn(
                    'flex min-h-10 cursor-default items-center gap-3 rounded-md px-2.5 py-1 text-sm',
                    index === at && 'bg-hover',
                  )}
                >
                  {entry.body}
                  {index === at && (
                    <CornerDownLeft aria-hidden className="ml-auto size-3.5 shrink-0 text-faint" />
                  )}
                </div>
              </div>
            ))}
          </div>
          {entries.length === 0 && (
            <p role="status" className="px-4 pb-6 text-center text-sm text-muted">
              Nothing is called like this. Leads are found by name, email, company or id.
            </p>
          )}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
