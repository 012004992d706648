import {
  Activity,
  Calendar,
  CircleDollarSign,
  CreditCard,
  Download,
  Eye,
  FileText,
  FormInput,
  Fingerprint,
  Inbox,
  LogIn,
  type LucideIcon,
  Mail,
  MailOpen,
  MousePointerClick,
  PhoneCall,
  Play,
  Rocket,
  Search,
  ShoppingCart,
  Sparkles,
  SquarePen,
  Undo2,
  UserPlus,
  Users,
} from 'lucide-react';

import { cn } from '@/lib/cn';

// By words in the name, since projects name their events as they like; the first that fits.
const ICONS: [RegExp, LucideIcon][] = [
  [/unsubscri|refund|cancel|churn/, Undo2],
  [/identify|alias/, Fingerprint],
  [/purchas|order|checkout|cart/, ShoppingCart],
  [/pric/, CircleDollarSign],
  [/pay|invoice|subscri|upgrade|billing/, CreditCard],
  [/demo|meeting|call_|webinar|calendar|schedul|book/, Calendar],
  [/trial|onboard|activat/, Rocket],
  [/sign_?up|regist|invit/, UserPlus],
  [/log_?in|sign_?in|session/, LogIn],
  [/form|submit|contact|survey/, FormInput],
  [/open/, MailOpen],
  [/email|mail|newsletter/, Mail],
  [/download|export/, Download],
  [/video|watch|play/, Play],
  [/search/, Search],
  [/click|cta|button/, MousePointerClick],
  [/doc|blog|article|case_?stud|whitepaper|read/, FileText],
  [/phone|call/, PhoneCall],
  [/team|group|member/, Users],
  [/feature|creat|integrat/, Sparkles],
  [/adjust|edit|updat/, SquarePen],
  [/page|view|visit|screen/, Eye],
  [/chat|support|ticket|message/, Inbox],
];

function iconOf(type: string): LucideIcon {
  const name = type.toLowerCase().replace(/[\s-]+/g, '_');
  return ICONS.find(([words]) => words.test(name))?.[1] ?? Activity;
}

/** A picture for a type of event; its name stands beside it. */
export function EventIcon({ type, className }: { type: string; className?: string }) {
  const Icon = iconOf(type);
  // eslint-disable-next-line react-hooks/static-components -- chosen from a table, never made here
  return <Icon aria-hidden className={cn('size-4 shrink-0 text-muted', className)} />;
}
