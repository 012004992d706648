import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ArrowRight, type LucideIcon, Scale, Server, ShieldCheck } from 'lucide-react';

import { optionsQuery } from '@/api/session';
import { ThemeSwitch } from '@/components/theme-switch';
import { Button } from '@/components/ui/button';
import { Logo } from '@/components/ui/logo';
import { useTitle } from '@/lib/hooks';

import { Example } from './example';

const FACTS: { icon: LucideIcon; title: string; text: string }[] = [
  {
    icon: Scale,
    title: 'Every point has a reason',
    text: 'Open a lead and read which acts gave which points, what a cap cut, and what silence took.',
  },
  {
    icon: ShieldCheck,
    title: 'No event is lost, none counts twice',
    text: 'An event is stored before it is answered. Scores can be checked against all events at any time.',
  },
  {
    icon: Server,
    title: 'It runs on your own machine',
    text: 'One command with PostgreSQL inside. No data of your visitors goes to anybody else.',
  },
];

export function LandingPage() {
  useTitle('');
  const { data: options } = useQuery(optionsQuery);
  // Until it is known, signing up is offered: the page behind says how it is.
  const open = options?.registrationOpen !== false;
  const first = options?.signup === 'first' && options.registrationOpen;
  return (
    <div className="flex min-h-dvh flex-col bg-page text-ink">
      <header className="mx-auto flex h-14 w-full max-w-[1160px] items-center gap-1 px-4 md:px-6">
        <Logo />
        <nav aria-label="Main" className="ml-auto flex items-center gap-1">
          <ThemeSwitch />
          <Button asChild kind="ghost">
            <a href="/api/docs">API</a>
          </Button>
          <Button asChild>
            <Link to="/login">Sign in</Link>
          </Button>
        </nav>
      </header>
      <main className="mx-auto flex w-full max-w-[1160px] flex-1 flex-col justify-center gap-12 px-4 py-8 md:px-6 lg:gap-14">
        <div className="grid items-center gap-10 lg:grid-cols-[1fr_480px] lg:gap-16">
          <div className="min-w-0">
            <h1 className="max-w-[16ch] text-3xl font-semibold tracking-tight text-balance md:text-4xl">
              Know whom to call next, and why
            </h1>
            <p className="mt-4 max-w-[52ch] text-lg text-muted">
              Your website, your mails and your servers tell LeadPulse what people do. It turns that
              into a score for each person within a second, lets it fade when they fall silent, and
              puts those who are ready on top of your list.
            </p>
            <div className="mt-7 flex flex-wrap gap-2.5">
              {open && (
                <Button asChild kind="primary" size="lg">
                  <Link to="/register">
                    {first ? 'Create the first account' : 'Create an account'}
                    <ArrowRight aria-hidden className="size-4" />
                  </Link>
                </Button>
              )}
              <Button asChild size="lg" kind={open ? 'secondary' : 'primary'}>
                <Link to="/login">Sign in</Link>
              </Button>
            </div>
            {!open && (
              <p className="mt-3 text-sm text-muted">New accounts come by invitation here.</p>
            )}
          </div>
          <Example />
        </div>
        <ul className="grid gap-6 border-t border-line pt-8 md:grid-cols-3 md:gap-8">
          {FACTS.map(({ icon: Icon, title, text }) => (
            <li key={title} className="min-w-0">
              <Icon aria-hidden className="size-5 text-accent-text" strokeWidth={1.75} />
              <p className="mt-2.5 font-semibold">{title}</p>
              <p className="mt-1 text-sm text-muted">{text}</p>
            </li>
          ))}
        </ul>
      </main>
    </div>
  );
}
