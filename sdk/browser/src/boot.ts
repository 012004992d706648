/** What runs as the script is loaded: the global `LS`, and what the page asked before. */
import { watchClicks } from "./clicks";
import { allowed, answer } from "./consent";
import { record, type Properties } from "./events";
import { watchForms } from "./forms";
import { become, forget } from "./identity";
import { fromTag, options, type Options } from "./options";
import { watchPages } from "./pages";
import { safe, warn } from "./safe";
import { beacon, later, now } from "./transport";

type Call = [name: string, ...given: never[]];
type Calls = Record<string, (...given: never[]) => void>;

const scope = window as unknown as { LS?: Call[] | Calls };
const tag = document.currentScript ?? document.querySelector<HTMLScriptElement>("script[data-api-key]");
const early: Call[] = [];
let started = false;

function page(properties?: Properties): void {
  record("page_view", properties);
}

function view(): void {
  if (options.pageViews !== false) page();
}

const calls: Calls = {
  track: record,
  page,
  identify(who: unknown, traits?: Properties, userHash?: string) {
    if (allowed() && become(who, userHash)) record("identify", undefined, traits);
  },
  reset: forget,
  consent(given: boolean) {
    const before = allowed();
    answer(given);
    if (!before && given) view();
  },
};

function init(given?: Partial<Options>): void {
  const wanted = { ...fromTag(tag), ...given };
  if (options.apiKey) return;
  if (!wanted.apiKey) {
    warn("init needs an apiKey");
    return;
  }
  Object.assign(options, wanted);
  const source = (tag as HTMLScriptElement | null)?.src;
  options.host = (wanted.host ?? (source ? new URL(source).origin : "")).replace(/\/$/, "");
  // A page that is made ready before anybody goes there is not seen yet.
  if ((document as { prerendering?: boolean }).prerendering) {
    document.addEventListener("prerenderingchange", safe(start), { once: true });
  } else start();
}

function start(): void {
  started = true;
  view();
  early.splice(0).forEach(call);
  watchPages(view);
  if (options.forms !== false) watchForms();
  if (options.clicks !== false) watchClicks();
  addEventListener("online", now);
  addEventListener("pagehide", safe(beacon));
  document.addEventListener(
    "visibilitychange",
    safe(() => {
      if (document.visibilityState === "hidden") beacon();
      else later(0);
    }),
  );
  later(0);
}

const call = safe(([name, ...given]: Call) => {
  if (name === "init") init(given[0]);
  else if (started) calls[name]?.(...given);
  else early.push([name, ...given]);
});

const before = scope.LS;
// A second tag for the same page does nothing.
if (!before || Array.isArray(before)) {
  const push = (...made: Call[]): void => {
    made.forEach(call);
  };
  const face: Calls = { push };
  for (const name of ["init", ...Object.keys(calls)]) {
    face[name] = (...given) => {
      call([name, ...given]);
    };
  }
  scope.LS = face;
  if (tag?.dataset.apiKey) call(["init"]);
  // Also for a page that holds on to the list.
  if (before) {
    before.splice(0).forEach(call);
    before.push = push as unknown as typeof before.push;
  }
}
