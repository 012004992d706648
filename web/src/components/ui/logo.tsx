import { cn } from '@/lib/cn';

export function LogoMark({ className }: { className?: string }) {
  return (
    <svg aria-hidden viewBox="0 0 24 24" className={cn('size-6 shrink-0', className)}>
      <rect width="24" height="24" rx="6" fill="var(--accent)" />
      <path
        d="M4.5 12.5h3.2l2.3-6 3.7 11 2.4-5h3.4"
        fill="none"
        stroke="var(--accent-ink)"
        strokeWidth="2"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}

export function Logo({ className }: { className?: string }) {
  return (
    <span className={cn('inline-flex items-center gap-2 font-semibold tracking-tight', className)}>
      <LogoMark />
      LeadPulse
    </span>
  );
}
