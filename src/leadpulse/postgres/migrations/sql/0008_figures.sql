-- Figures that are told without looking at every lead, leads that don't count, sample data.

-- Beside the score, since the scorer counts neither among what happened: what tests do is in no
-- figure, and what sample data adds to figures is kept apart, to be taken away again.
alter table leads add column if not exists test boolean not null default false;
alter table leads add column sample boolean not null default false;
alter table leads no force row level security;
alter table lead_profiles no force row level security;
update leads l set test = true from lead_profiles p
where p.project_id = l.project_id and p.lead_id = l.id and p.test and not l.test;
create index leads_apart on leads (project_id, id) where test or sample;

-- In the order in which leads came, for the first of them.
drop index lead_profiles_identified;
create index lead_profiles_identified on lead_profiles (project_id, lead_id)
    where not hidden and (email is not null or user_id is not null);
create index stage_changes_qualified on stage_changes (project_id, at) where to_stage = 3;

-- All leads counted at an instant, beside the scorers: of a large project more often than once
-- an hour, of a small one by whoever asks. `counts` is a document of the code that reads it.
create table figures (
    project_id uuid primary key references projects on delete cascade,
    counted_at timestamptz,
    next_at timestamptz not null default clock_timestamp(),
    counts jsonb check (jsonb_typeof(counts) = 'object'),
    check ((counted_at is null) = (counts is null))
);
create index figures_due on figures (next_at);

-- The same as it was at the beginning of an hour, without sample data, for comparison.
create table figures_hourly (
    project_id uuid not null references projects on delete cascade,
    hour timestamptz not null,
    leads bigint not null check (leads >= 0),
    identified bigint not null check (identified >= 0),
    resolutions bigint not null check (resolutions >= 0),
    qualified bigint not null check (qualified >= 0),
    score float8 not null,
    primary key (project_id, hour)
);
alter table projects no force row level security;
insert into figures (project_id) select id from projects;

-- Whether a project has sample data, and when it was put there. Each time it gets another round,
-- of which the eventIds tell: they are used once, for ever.
create table sample_data (
    project_id uuid primary key references projects on delete cascade,
    round int not null default 1 check (round >= 1),
    added_at timestamptz not null,
    removed_at timestamptz
);
-- What its events are in figures by the hour, apart from those of others.
create table sample_activity (
    project_id uuid not null references projects on delete cascade,
    hour timestamptz not null,
    event_type text collate "C" not null,
    events bigint not null check (events >= 0),
    mutations bigint not null check (mutations >= 0),
    primary key (project_id, hour, event_type)
);

-- Each member puts the first steps away for himself.
alter table members add column steps_dismissed_at timestamptz;
