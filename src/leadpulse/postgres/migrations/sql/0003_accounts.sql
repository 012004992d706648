-- Who may do what: accounts, their sessions, memberships and invitations; what was done; and
-- whose events are not wanted any more. Secrets that people carry are kept as hashes only.

create table users (
    id uuid primary key,
    -- Trimmed and lower-cased.
    email text collate "C" not null unique check (char_length(email) between 3 and 254),
    name text not null check (char_length(name) between 1 and 200),
    -- Null: this account signs in with Google only.
    password_hash text,
    google_subject text collate "C" unique,
    email_verified_at timestamptz,
    -- May see figures of the whole installation; set by the command line only.
    operator boolean not null default false,
    disabled_at timestamptz,
    created_at timestamptz not null default clock_timestamp()
);

create table sessions (
    id uuid primary key,
    user_id uuid not null references users on delete cascade,
    -- The project that the session works in; null while the user has none.
    project_id uuid references projects on delete set null,
    created_at timestamptz not null default clock_timestamp(),
    -- At most a minute behind.
    last_seen_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    revoked_at timestamptz,
    -- What the person sees in the list of his sessions.
    address text check (char_length(address) <= 64),
    agent text check (char_length(agent) <= 300)
);
create index sessions_by_user on sessions (user_id);
create index sessions_by_expiry on sessions (expires_at);

create table members (
    project_id uuid not null references projects on delete cascade,
    user_id uuid not null references users on delete cascade,
    role text not null check (role in ('owner', 'admin', 'member', 'viewer')),
    created_at timestamptz not null default clock_timestamp(),
    primary key (project_id, user_id)
);
create index members_by_user on members (user_id);

create table invitations (
    project_id uuid not null references projects on delete cascade,
    id uuid not null,
    email text collate "C" not null check (char_length(email) between 3 and 254),
    role text not null check (role in ('admin', 'member', 'viewer')),
    token_hash bytea not null unique check (octet_length(token_hash) = 32),
    invited_by uuid references users on delete set null,
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    accepted_at timestamptz,
    revoked_at timestamptz,
    primary key (project_id, id)
);
create unique index invitations_one_open on invitations (project_id, email)
    where accepted_at is null and revoked_at is null;

-- Links that were mailed: each works once and for a while.
create table account_links (
    token_hash bytea primary key check (octet_length(token_hash) = 32),
    user_id uuid not null references users on delete cascade,
    purpose text not null check (purpose in ('verify', 'reset')),
    -- The address that it was sent to; another one since then makes it void.
    email text collate "C" not null,
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    used_at timestamptz
);
create index account_links_by_user on account_links (user_id, purpose);
create index account_links_by_expiry on account_links (expires_at);

-- Who did what to what, when and from where. Only ever added to.
create table audit_log (
    project_id uuid not null references projects on delete cascade,
    id uuid not null,
    at timestamptz not null default clock_timestamp(),
    -- user:<id>, key:<id> or cli
    actor text not null check (char_length(actor) between 1 and 100),
    actor_name text check (char_length(actor_name) <= 254),
    -- Like member.role_changed.
    action text collate "C" not null check (action ~ '^[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*$'),
    -- Kind and id of what was changed, like member:<id>.
    target text check (char_length(target) <= 300),
    details jsonb not null default '{}' check (jsonb_typeof(details) = 'object'),
    address text check (char_length(address) <= 64),
    request_id text check (char_length(request_id) <= 64),
    primary key (project_id, id)
);

-- Identifiers of erased people, as keyed digests: what comes with one of them is not kept.
create table suppressions (
    project_id uuid not null references projects on delete cascade,
    -- 1 userId, 2 email, 3 anonymousId
    kind smallint not null check (kind in (1, 2, 3)),
    digest bytea not null check (octet_length(digest) = 16),
    id uuid not null,
    created_at timestamptz not null default clock_timestamp(),
    created_by text not null,
    primary key (project_id, kind, digest)
);
create unique index suppressions_by_id on suppressions (project_id, id, kind, digest);

alter table projects
    add column domain text check (char_length(domain) between 1 and 253),
    -- Deleted: keys are off at once, rows go a week later.
    add column deleted_at timestamptz,
    -- Events older than this lose properties, session and address; null: never.
    add column retention_days int check (retention_days between 1 and 36500);
create index projects_deleted on projects (deleted_at) where deleted_at is not null;

alter table api_keys
    -- Switched off, and may be switched on again; `revoked_at` is for good.
    add column disabled_at timestamptz,
    add column created_by text;
