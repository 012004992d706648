-- The ground: one PostgreSQL holds projects, events, inbox, ledger and leads, so that
-- one commit decides. Every table that belongs to a project has project_id first in its
-- primary key. Whatever orders or dedups is COLLATE "C" (by code point).

create extension if not exists pg_trgm;

create table projects (
    id uuid primary key,
    name text not null check (char_length(name) between 1 and 200),
    preset text not null check (preset in ('leadpulse', 'classic', 'sales')),
    -- The newest published model, and the newest one published "for all history": an event
    -- is scored by the greater of its own version and the latter.
    model_version int not null default 1 check (model_version >= 1),
    history_version int not null default 1 check (history_version between 1 and model_version),
    -- Random, one per project, never rotated: keys the digests of eventIds.
    digest_key bytea not null check (octet_length(digest_key) = 32),
    time_zone text not null default 'UTC',
    identity_verification boolean not null default false,
    identity_secret bytea not null check (octet_length(identity_secret) = 32),
    paused boolean not null default false,
    -- The version by which the stages shown in lead rows were last looked through.
    labelled_version int not null default 1 check (labelled_version between 1 and model_version),
    created_at timestamptz not null default clock_timestamp()
);
create index projects_to_relabel on projects (id) where labelled_version < model_version;

create table models (
    project_id uuid not null references projects on delete cascade,
    version int not null check (version >= 1),
    scope text not null check (scope in ('from-now', 'all-history')),
    document jsonb not null check (jsonb_typeof(document) = 'object'),
    published_at timestamptz not null default clock_timestamp(),
    note text,
    primary key (project_id, version),
    check (version > 1 or scope = 'all-history')
);
-- A project and its first model come in one transaction.
alter table projects add foreign key (id, model_version) references models (project_id, version)
    deferrable initially deferred;

create table api_keys (
    project_id uuid not null references projects on delete cascade,
    id uuid not null,
    kind text not null check (kind in ('write', 'secret')),
    name text not null check (char_length(name) between 1 and 200),
    -- A write key is public and can be shown again; a secret key exists only as its hash.
    shown text,
    key_hash bytea not null check (octet_length(key_hash) = 32),
    scopes text[] not null default '{}',
    origins text[] not null default '{}',
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    primary key (project_id, id),
    unique (key_hash),
    check ((kind = 'write') = (shown is not null)),
    check (kind = 'secret' or scopes = '{}')
);

-- ── Leads ────────────────────────────────────────────────────────────────────────────
-- The row that every score changes. Nothing that is searched or shown as text may live
-- here: a name or trigram index on this row tripled the cost of a pass.
create table leads (
    project_id uuid not null references projects on delete cascade,
    id uuid not null,
    score float8 not null default 0 check (score = score and abs(score) <= 1e9),
    stage smallint not null default 0 check (stage between 0 and 3),
    -- Counts visible changes (score, stage, profile).
    version int not null default 0,
    last_event_at timestamptz,
    -- When the shown score changes next without a new event; null: never.
    due_at timestamptz,
    -- The instant up to which `score` is folded.
    as_of timestamptz not null,
    -- The fold: ledger generation that readers see, entries in it, and the whole state.
    generation int not null default 0,
    entries int not null default 0 check (entries >= 0),
    -- The text as it was written: nothing looks into it, and taking it apart costs each pass.
    state json not null default '{}',
    -- The history_version that the state was folded under.
    epoch int not null,
    -- The next pass folds this lead from its first fact.
    stale boolean not null default false,
    -- The survivor, once the scorer has folded the merge; such a row is out of every list.
    merged_into uuid,
    -- Late re-folds of claims in the current minute (those beyond the limit are gathered).
    refolds int not null default 0,
    refolds_since timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (project_id, id),
    check (merged_into is null or merged_into <> id)
) with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05);

create index leads_by_score on leads (project_id, score desc, id desc) where merged_into is null;
create index leads_by_last_event on leads (project_id, last_event_at desc nulls last, id desc)
    where merged_into is null;
create index leads_due on leads (due_at) where due_at is not null and merged_into is null;

-- What is known about a lead. `facts` is this lead's own map field -> last writer; the
-- columns are the view over the whole tree of merged leads and belong to the survivor.
create table lead_profiles (
    project_id uuid not null,
    lead_id uuid not null,
    facts jsonb not null default '{}',
    email text,
    user_id text,
    name text,
    company text,
    traits jsonb not null default '{}',
    -- Names of shown fields that rest on a claim alone.
    claimed text[] not null default '{}',
    anonymous_id text,
    owner text,
    status text not null default 'open'
        check (status in ('open', 'working', 'won', 'lost', 'disqualified')),
    test boolean not null default false,
    first_seen_at timestamptz,
    hidden boolean not null default false,
    -- Stored, because under row security only plain columns may use an index.
    name_key text collate "C" generated always as (lower(coalesce(name, ''))) stored,
    search text generated always as (
        lower(coalesce(name, '') || E'\n' || coalesce(email, '') || E'\n'
              || coalesce(company, '') || E'\n' || coalesce(user_id, ''))
    ) stored,
    updated_at timestamptz not null,
    primary key (project_id, lead_id),
    foreign key (project_id, lead_id) references leads (project_id, id) on delete cascade
);

create index lead_profiles_by_name on lead_profiles (project_id, name_key, lead_id) where not hidden;
create index lead_profiles_search on lead_profiles using gin (search gin_trgm_ops)
    with (fastupdate = off);
create index lead_profiles_by_anonymous_id on lead_profiles (project_id, anonymous_id text_pattern_ops)
    where not hidden;
create index lead_profiles_by_owner on lead_profiles (project_id, owner, lead_id)
    where owner is not null and not hidden;
-- Only to be counted: a page of a few kilobytes holds thousands of them.
create index lead_profiles_identified on lead_profiles (project_id)
    where not hidden and (email is not null or user_id is not null);
create index lead_profiles_by_status on lead_profiles (project_id, status, lead_id)
    where status <> 'open' and not hidden;

-- kind: 1 userId, 2 email, 3 anonymousId. The lead is the one it was first given; merges
-- do not rewrite it (a shared browser's anonymousId moves).
create table identifiers (
    project_id uuid not null,
    kind smallint not null check (kind in (1, 2, 3)),
    value text collate "C" not null check (char_length(value) between 1 and 255),
    lead_id uuid not null,
    confirmed boolean not null default false,
    -- How many people an anonymousId moved between (0: it never did); beyond 20 it stops
    -- linking. `people` are their leads.
    links int not null default 0,
    people uuid[],
    created_at timestamptz not null default clock_timestamp(),
    primary key (project_id, kind, value),
    foreign key (project_id, lead_id) references leads (project_id, id) on delete cascade
);
create index identifiers_by_lead on identifiers (project_id, lead_id);
create index identifiers_overlinked on identifiers (project_id, value) where kind = 3 and links > 20;

-- Edges: child was merged into parent. A lead has one parent at most; an undone edge stays
-- as the record that these two are never joined again by an event.
create table lead_merges (
    project_id uuid not null,
    id uuid not null,
    child_id uuid not null,
    parent_id uuid not null,
    cause text not null check (cause in ('event', 'manual')),
    event uuid,
    made_by text not null,
    made_at timestamptz not null,
    undone_at timestamptz,
    undone_by text,
    primary key (project_id, id),
    foreign key (project_id, child_id) references leads (project_id, id) on delete cascade,
    foreign key (project_id, parent_id) references leads (project_id, id) on delete cascade,
    check (child_id <> parent_id),
    check ((undone_at is null) = (undone_by is null))
);
create unique index lead_merges_one_parent on lead_merges (project_id, child_id)
    where undone_at is null;
create index lead_merges_by_parent on lead_merges (project_id, parent_id);
create index lead_merges_undone on lead_merges (project_id, child_id) where undone_at is not null;

-- Derived from the edges in the transaction that changes them: only leads that have a
-- parent stand here, each with the root of its tree.
create table lead_roots (
    project_id uuid not null,
    lead_id uuid not null,
    root_id uuid not null,
    primary key (project_id, lead_id),
    foreign key (project_id, lead_id) references leads (project_id, id) on delete cascade,
    check (lead_id <> root_id)
);
create index lead_roots_by_root on lead_roots (project_id, root_id);

-- Leads that a person removed, until the last of their rows is gone: events that were on
-- their way at that moment may still arrive.
create table lead_removals (
    project_id uuid not null,
    lead_id uuid not null,
    removed_at timestamptz not null,
    primary key (project_id, lead_id)
);
create index lead_removals_by_age on lead_removals (removed_at);

-- ── Events: insert-only facts ────────────────────────────────────────────────────────
create table events (
    project_id uuid not null,
    id uuid not null,
    lead_id uuid not null,
    -- The class of caller: secret key, session, import or signed hook; else a write key.
    trusted boolean not null,
    event_id text collate "C" not null check (char_length(event_id) between 1 and 255),
    -- Keyed 16-byte digests: of eventId, and of (type, identity, sent timestamp).
    digest bytea not null check (octet_length(digest) = 16),
    fingerprint bytea not null check (octet_length(fingerprint) = 16),
    event_type text collate "C" not null check (char_length(event_type) between 1 and 128),
    ts timestamptz not null check (ts >= '1970-01-01T00:00:00Z'),
    -- As sent, where receiving changed it.
    original_ts timestamptz,
    received_at timestamptz not null,
    model_version int not null,
    session_id text check (char_length(session_id) between 1 and 255),
    properties jsonb not null default '{}' check (jsonb_typeof(properties) = 'object'),
    traits jsonb check (jsonb_typeof(traits) = 'object'),
    test boolean not null default false,
    -- Facts that keep an event out of the fold, both reversible.
    quarantined boolean not null default false,
    excluded boolean not null default false,
    primary key (project_id, id),
    check (ts <= received_at)
);
create unique index events_dedup on events (project_id, trusted, digest);
create index events_by_lead on events (project_id, lead_id, ts);
create index events_quarantined on events (project_id, lead_id) where quarantined;
create index events_excluded on events (project_id, id) where excluded;

-- The same eventId with another type, identity or sent timestamp: not counted, kept a week.
create table event_conflicts (
    project_id uuid not null references projects on delete cascade,
    id uuid not null,
    event_id text collate "C" not null,
    trusted boolean not null,
    -- The stored event that holds the id.
    event uuid not null,
    body jsonb not null,
    received_at timestamptz not null,
    primary key (project_id, id)
);
create index event_conflicts_by_age on event_conflicts (received_at);

-- Work: one row per event to fold, or a request to fold a lead from its first fact
-- (kind 1). Written with the event, deleted with the score.
create table inbox (
    project_id uuid not null,
    lead_id uuid not null,
    id uuid not null,
    kind smallint not null default 0 check (kind in (0, 1)),
    trusted boolean not null default true,
    event_id text collate "C",
    event_type text collate "C",
    ts timestamptz,
    received_at timestamptz not null,
    model_version int,
    has_traits boolean not null default false,
    -- Gathered late events wait until then.
    not_before timestamptz,
    primary key (project_id, lead_id, id),
    check (kind = 1 or (event_id is not null and event_type is not null and ts is not null
                        and model_version is not null))
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
        autovacuum_vacuum_cost_delay = 0);

-- ── The ledger: one entry per event, idle gap or adjustment ──────────────────────────
create table ledger (
    project_id uuid not null,
    lead_id uuid not null,
    generation int not null,
    -- The place: timestamp of the event, for decay of the event that it follows.
    at timestamptz not null,
    entry int not null check (entry >= 1),
    kind smallint not null check (kind in (0, 1, 2)),       -- event, decay, adjustment
    event uuid not null,
    old_score float8 not null,
    delta float8 not null,
    new_score float8 not null,
    points float8 not null,
    -- {rule id: points that it gave}
    rules jsonb,
    -- Decay: how many steps, and the due time of the last one.
    steps int not null default 0,
    decayed_at timestamptz,
    model_version int not null,
    -- Acts up to and with this entry: two probes give a window's count.
    acts int not null,
    claimed_at timestamptz not null,
    recorded_at timestamptz not null,
    primary key (project_id, lead_id, generation, at, entry),
    check ((kind = 1) = (steps > 0)),
    check ((kind = 1) = (decayed_at is not null))
);

-- The whole fold state every hundred entries or so; a cache, free to be dropped.
create table checkpoints (
    project_id uuid not null,
    lead_id uuid not null,
    generation int not null,
    at timestamptz not null,
    entry int not null,
    state json not null,
    primary key (project_id, lead_id, generation, at, entry)
);

-- A fold longer than one pass: it goes on here, into the next generation of the ledger.
create table refolds (
    project_id uuid not null,
    lead_id uuid not null,
    generation int not null,
    epoch int not null,
    state json not null,
    entries int not null default 0,
    started_at timestamptz not null,
    primary key (project_id, lead_id),
    foreign key (project_id, lead_id) references leads (project_id, id) on delete cascade
);

-- Ledger generations that nobody reads any more and that are too long to remove at once.
create table old_generations (
    project_id uuid not null,
    lead_id uuid not null,
    generation int not null,
    primary key (project_id, lead_id, generation),
    foreign key (project_id, lead_id) references leads (project_id, id) on delete cascade
);

-- What people saw, append-only: changes of stage, and scores that a re-fold changed.
create table stage_changes (
    project_id uuid not null,
    lead_id uuid not null,
    id uuid not null,
    at timestamptz not null,
    from_stage smallint not null,
    to_stage smallint not null,
    score float8 not null,
    model_version int not null,
    cause text not null check (cause in ('event', 'late', 'decay', 'model', 'merge', 'rebuild')),
    event uuid,
    primary key (project_id, lead_id, id),
    check (from_stage <> to_stage)
);
create index stage_changes_by_time on stage_changes (project_id, at);
create table score_revisions (
    project_id uuid not null,
    lead_id uuid not null,
    id uuid not null,
    at timestamptz not null,
    cause text not null check (cause in ('late', 'model', 'merge', 'rebuild')),
    event uuid,
    before float8 not null,
    after float8 not null,
    primary key (project_id, lead_id, id)
);

-- ── Work that failed ─────────────────────────────────────────────────────────────────
create table scoring_failures (
    project_id uuid not null,
    lead_id uuid not null,
    attempts int not null default 0,
    -- Deaths of a scorer with this lead in its batch, and with this lead alone.
    crashes int not null default 0,
    solo_crashes int not null default 0,
    retry_at timestamptz not null,
    error text not null,
    event uuid,
    first_failed_at timestamptz not null,
    last_failed_at timestamptz not null,
    primary key (project_id, lead_id)
);

create table dead_letters (
    project_id uuid not null,
    id uuid not null,
    lead_id uuid not null,
    kind text not null check (kind in ('scoring')),
    error text not null,
    attempts int not null,
    event uuid,
    first_failed_at timestamptz not null,
    failed_at timestamptz not null,
    state text not null default 'open' check (state in ('open', 'replayed', 'discarded')),
    settled_at timestamptz,
    primary key (project_id, id),
    check ((state = 'open') = (settled_at is null))
);
create unique index dead_letters_one_open on dead_letters (project_id, lead_id) where state = 'open';

-- ── Counts ───────────────────────────────────────────────────────────────────────────
-- Figures are sums over both: intake and scorer only append deltas (no hot row, no lock),
-- a scheduled pass folds them into the hourly totals.
create table activity (
    project_id uuid not null,
    hour timestamptz not null,
    event_type text collate "C" not null,
    events bigint not null default 0,
    mutations bigint not null default 0,
    primary key (project_id, hour, event_type)
);
-- The sums of all hours: "ever" must not read years of them.
create table activity_totals (
    project_id uuid not null,
    event_type text collate "C" not null,
    events bigint not null default 0,
    mutations bigint not null default 0,
    primary key (project_id, event_type)
);
create table activity_deltas (
    project_id uuid not null,
    id bigint generated always as identity,
    hour timestamptz not null,
    event_type text collate "C" not null,
    events bigint not null default 0,
    mutations bigint not null default 0,
    primary key (project_id, id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);

-- By UTC day of receiving, for the ceilings of write keys.
create table daily_usage (
    project_id uuid not null,
    day date not null,
    new_leads int not null default 0,
    primary key (project_id, day)
);
create table daily_types (
    project_id uuid not null,
    day date not null,
    event_type text collate "C" not null,
    primary key (project_id, day, event_type)
);

-- A rescore of all history walks the leads once, resumable.
create table rescores (
    project_id uuid not null references projects on delete cascade,
    history_version int not null,
    cursor uuid not null default '00000000-0000-0000-0000-000000000000',
    total bigint not null,
    done bigint not null default 0,
    -- A rebuild: every lead, also those that are folded under this version.
    everything boolean not null default false,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    primary key (project_id, history_version)
);

-- One row per running scorer, for queue health.
create table workers (
    id uuid primary key,
    host text not null,
    pid int not null,
    started_at timestamptz not null,
    seen_at timestamptz not null,
    -- `stopped`: nearly everything failed, so it takes no work but tries now and then.
    state text not null default 'scoring' check (state in ('scoring', 'stopped')),
    detail text
);
