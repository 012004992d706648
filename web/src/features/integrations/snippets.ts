import type { Language } from './view';

/** What stands in a snippet where the key can't be told. */
export const NO_KEY = 'YOUR_WRITE_KEY';

export type Snippet = { language: Language; label: string; says: string; code: string };

/** Code that works as it is: with this installation's address and the project's write key. */
export function snippets(host: string, key: string | null): Snippet[] {
  const shown = key ?? NO_KEY;
  return [
    {
      language: 'browser',
      label: 'Browser',
      says: 'Into the head of every page. It sends page views, forms, downloads and clicks to other websites by itself, sets no cookie, and never gets in the way of the page.',
      code: browser(host, shown),
    },
    {
      language: 'python',
      label: 'Python',
      says: 'With the standard library alone. Use a secret key on a server: what a write key says is a claim.',
      code: python(host, shown),
    },
    {
      language: 'node',
      label: 'Node',
      says: 'Node 18 or newer, without a package. Use a secret key on a server: what a write key says is a claim.',
      code: node(host, shown),
    },
    {
      language: 'curl',
      label: 'cURL',
      says: 'From a shell, to see that it works.',
      code: curl(host, shown),
    },
  ];
}

function browser(host: string, key: string): string {
  return `<script>
  window.LS = window.LS || [];
  ["init", "track", "page", "identify", "reset", "consent"].forEach(function (name) {
    LS[name] = LS[name] || function () { LS.push([name].concat([].slice.call(arguments))); };
  });
</script>
<script async src="${host}/sdk/ls.js" data-api-key="${key}"></script>`;
}

/** What one calls from the page's own code. */
export const BROWSER_CALLS = `LS.track("demo_request", { seats: 5 });
LS.identify("ann@example.com", { name: "Ann" });`;

/** What a page with a Content-Security-Policy has to allow. */
export function policy(host: string): string {
  return `script-src ${host}; connect-src ${host}`;
}

function python(host: string, key: string): string {
  return `import json, urllib.request

event = {
    "event": "demo_request",
    "email": "ann@example.com",
    "properties": {"seats": 5},
}
request = urllib.request.Request(
    "${host}/api/ingest/event",
    data=json.dumps(event).encode(),
    headers={"Content-Type": "application/json", "X-API-Key": "${key}"},
)
with urllib.request.urlopen(request, timeout=10) as answer:
    print(answer.status, json.load(answer))`;
}

function node(host: string, key: string): string {
  return `const answer = await fetch("${host}/api/ingest/event", {
  method: "POST",
  headers: { "Content-Type": "application/json", "X-API-Key": "${key}" },
  body: JSON.stringify({
    event: "demo_request",
    email: "ann@example.com",
    properties: { seats: 5 },
  }),
});
console.log(answer.status, await answer.json());`;
}

function curl(host: string, key: string): string {
  return `curl -X POST ${host}/api/ingest/event \\
  -H "Content-Type: application/json" \\
  -H "X-API-Key: ${key}" \\
  -d '{"event": "demo_request", "email": "ann@example.com", "properties": {"seats": 5}}'`;
}

export type SigningSnippet = {
  language: 'python' | 'node' | 'browser';
  label: string;
  code: string;
};

/** How a server signs who somebody is, and how the page hands it on. */
export const SIGNING: readonly SigningSnippet[] = [
  {
    language: 'node',
    label: 'Node',
    code: `import { createHmac } from "node:crypto";

const userHash = createHmac("sha256", process.env.LEADPULSE_IDENTITY_SECRET)
  .update(user.email) // the userId, where you send one
  .digest("hex");`,
  },
  {
    language: 'python',
    label: 'Python',
    code: `import hashlib, hmac, os

user_hash = hmac.new(
    os.environ["LEADPULSE_IDENTITY_SECRET"].encode(),
    user.email.encode(),  # the user id, where you send one
    hashlib.sha256,
).hexdigest()`,
  },
  {
    language: 'browser',
    label: 'Browser',
    code: `// userHash comes with the page, from your server.
LS.identify("ann@example.com", { name: "Ann" }, userHash);`,
  },
];

/** The event that the page sends to try it out, exactly as a website would. */
export function testCall(host: string, key: string, eventId: string): [string, RequestInit] {
  const event = {
    event: 'test_event',
    eventId,
    anonymousId: `integrations-${eventId.slice(-12)}`,
    properties: { path: '/integrations', title: 'Integrations' },
    test: true,
  };
  return [
    `${host}/api/ingest/event`,
    {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-API-Key': key },
      body: JSON.stringify(event),
      credentials: 'omit',
    },
  ];
}
