-- Erased people, content that is kept for a while only, and projects that go.

-- The marks of the rules with conditions that an event met when it lost its content; null while
-- it has it. Costs the intake nothing: a null at the end of a row takes no room.
alter table events add column matched text[];
alter table events alter column matched set statistics 0;
create index events_blanked on events (project_id, event_type) where matched is not null;

-- Counts the changes of what is suppressed; 0: nothing ever was, and the intake asks no further.
alter table projects add column suppression_version int not null default 0
    check (suppression_version >= 0);

-- 0: the id of a lead that was erased, since callers may go on naming it.
alter table suppressions drop constraint suppressions_kind_check;
alter table suppressions add check (kind in (0, 1, 2, 3));

-- What callers know of events that are not kept: erased ones for ever, others for a while. Just
-- enough to tell a duplicate from a conflict.
create table forgotten_events (
    project_id uuid not null references projects on delete cascade,
    trusted boolean not null,
    digest bytea not null check (octet_length(digest) = 16),
    fingerprint bytea not null check (octet_length(fingerprint) = 16),
    event uuid not null,
    expires_at timestamptz,
    primary key (project_id, trusted, digest)
);
create index forgotten_events_by_expiry on forgotten_events (project_id, expires_at)
    where expires_at is not null;

-- Who was erased, by the ids of the leads. `names` are the identifiers, for as long as traces of
-- them are looked for in what belongs to others.
create table erasures (
    project_id uuid not null references projects on delete cascade,
    id uuid not null,
    root_id uuid not null,
    leads uuid[] not null,
    names jsonb,
    phase text not null default 'rows'
        check (phase in ('rows', 'conflicts', 'events', 'profiles', 'done')),
    cursor uuid not null default '00000000-0000-0000-0000-000000000000',
    made_at timestamptz not null,
    made_by text not null,
    finished_at timestamptz,
    primary key (project_id, id),
    check ((phase = 'done') = (finished_at is not null)),
    check (finished_at is null or names is null)
);
create index erasures_open on erasures (made_at) where finished_at is null;

-- While their project is deleted, memberships give nobody a way in.
alter table members add column closed_at timestamptz;

-- The rows of an erased lead leave their digests behind.
alter table lead_removals add column erased boolean not null default false;

-- For the foreign key: without it each lead that goes reads all merges there are.
create index lead_merges_by_child on lead_merges (project_id, child_id);

-- How far the events of a project were looked through for those that are too old. All up to
-- `settled` have lost their content.
create index projects_retaining on projects (id) where retention_days is not null;
create table retention_walks (
    project_id uuid primary key references projects on delete cascade,
    days int not null,
    settled uuid not null default '00000000-0000-0000-0000-000000000000',
    cursor uuid not null default '00000000-0000-0000-0000-000000000000',
    seen bigint not null default 0,
    blanked bigint not null default 0,
    next_at timestamptz not null default clock_timestamp()
);
