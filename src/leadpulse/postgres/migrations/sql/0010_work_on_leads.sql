-- Work on leads: who changed owner and status, what is new since somebody looked, whom to call,
-- and leads that are tests only.

-- `test` means of a survivor: nothing real is known of it nor of what merged into it.
alter table leads
    -- Nobody works on it yet, and it is neither won nor lost: the status of its profile is open.
    add column open boolean not null default true;

alter table leads no force row level security;
alter table lead_profiles no force row level security;
update leads l set test = f.test, open = f.status = 'open' from lead_profiles f
where f.project_id = l.project_id and f.lead_id = l.id and (f.test or f.status <> 'open');
-- Out of every list, as what a merge left over is.
update lead_profiles set hidden = true where test;

drop index leads_by_score;
drop index leads_by_last_event;
create index leads_by_score on leads (project_id, score desc, id desc)
    where merged_into is null and not test;
create index leads_by_last_event on leads (project_id, last_event_at desc nulls last, id desc)
    where merged_into is null and not test;
create index leads_test on leads (project_id, score desc, id desc)
    where merged_into is null and test;
-- Cold leads are most of all leads, and nobody calls them.
create index leads_to_call on leads (project_id, score desc, id desc)
    where merged_into is null and not test and open and stage > 0;

-- Owner and status, append-only. `made_by` is user:<id>, key:<id>, or null for a merge by an event.
create table lead_changes (
    project_id uuid not null,
    lead_id uuid not null,
    id uuid not null,
    at timestamptz not null,
    field text not null check (field in ('owner', 'status')),
    from_value text,
    to_value text,
    made_by text check (char_length(made_by) <= 100),
    primary key (project_id, lead_id, id),
    check (from_value is distinct from to_value)
);

-- Up to when somebody (user:<id> or key:<id>) has seen what became hot or qualified.
create table seen_marks (
    project_id uuid not null references projects on delete cascade,
    reader text collate "C" not null check (char_length(reader) <= 100),
    seen_until timestamptz not null,
    primary key (project_id, reader)
);

-- Rises that something made which happened, not a new model.
create index stage_changes_rises on stage_changes (project_id, at desc, id desc)
    where to_stage > 1 and to_stage > from_stage and cause in ('event', 'late', 'merge');
