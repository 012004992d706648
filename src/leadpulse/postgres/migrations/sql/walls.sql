-- Walls between projects. This runs in the transaction of the newest revision, and after a
-- restore; it may run any number of times, and brings whatever there is to what it says here.
--
-- Three roles without a login, the same for every database of a server:
--   leadpulse_app     the API and the command line
--   leadpulse_worker  scorers and upkeep: nothing about accounts, no hashes of keys
--   leadpulse_keeper  owns the few functions that look across projects, and reads for backups
--
-- Every table with a project_id shows and takes only rows of the projects that the setting
-- leadpulse.projects names (a uuid[] as text, in order); without it none. The policies hold for the
-- owner too, unless that is a superuser. So a revision that changes rows of such a table says
-- `alter table … no force row level security` before; what is said here puts it up again.

do $$
declare
    name text;
    -- Since 16 who made a role is a member of it that may not take it.
    taking text := case when current_setting('server_version_num')::int < 160000
        then 'MEMBER' else 'SET' end;
begin
    foreach name in array array['leadpulse_worker', 'leadpulse_app', 'leadpulse_keeper'] loop
        if not exists (select from pg_catalog.pg_roles where rolname = name) then
            begin
                execute format('create role %I nologin', name);
            exception
                -- Another database of this server is being brought here at the same time.
                when duplicate_object or unique_violation then null;
            end;
        end if;
        if not pg_has_role(current_user, name, taking) then
            execute format('grant %I to current_user', name);
        end if;
    end loop;
    -- Whoever logs in as the application's role runs the scorers too.
    if not pg_has_role('leadpulse_app', 'leadpulse_worker', 'MEMBER') then
        grant leadpulse_worker to leadpulse_app;
    end if;
exception when insufficient_privilege then
    raise insufficient_privilege using message = format(
        'LeadPulse needs three roles; let an administrator run: %s',
        'create role leadpulse_app nologin; create role leadpulse_worker nologin; '
        'create role leadpulse_keeper nologin; grant leadpulse_worker to leadpulse_app; '
        'grant leadpulse_app, leadpulse_worker, leadpulse_keeper to ' || quote_ident(current_user));
end $$;

-- ── The keeper's own schema ──────────────────────────────────────────────────────────
-- After a restore its functions belong to whoever restored.
do $$
declare
    thing text;
begin
    if to_regnamespace('keeper') is null then
        create schema keeper authorization leadpulse_keeper;
    end if;
    if not exists (select from pg_catalog.pg_namespace n
                   where n.nspname = 'keeper' and n.nspowner = 'leadpulse_keeper'::regrole) then
        grant all on schema keeper to leadpulse_keeper;
        for thing in
            select format('function %s', p.oid::regprocedure) from pg_catalog.pg_proc p
            where p.pronamespace = 'keeper'::regnamespace
                and p.proowner <> 'leadpulse_keeper'::regrole
            union all
            select format('view %s', c.oid::regclass) from pg_catalog.pg_class c
            where c.relnamespace = 'keeper'::regnamespace and c.relkind = 'v'
                and c.relowner <> 'leadpulse_keeper'::regrole
        loop
            execute format('alter %s owner to leadpulse_keeper', thing);
        end loop;
        alter schema keeper owner to leadpulse_keeper;
    end if;
end $$;

grant usage on schema public to leadpulse_app, leadpulse_worker, leadpulse_keeper;

set local role leadpulse_keeper;

-- Which projects a call, a pass or a command is about, before any of them is known. They tell
-- ids; whoever asks then sets leadpulse.projects to these and does the work with statements
-- that see nothing else.

create or replace function keeper.projects_of_keys(hashes bytea[]) returns setof uuid
language sql stable security definer set search_path = '' as $$
    select distinct k.project_id
    from unnest(hashes) w (h)
    cross join lateral (select k.project_id from public.api_keys k where k.key_hash = w.h) k
$$;

create or replace function keeper.project_of_invitation(token bytea) returns setof uuid
language sql stable security definer set search_path = '' as $$
    select i.project_id from public.invitations i where i.token_hash = token
$$;

create or replace function keeper.every_project() returns setof uuid
language sql stable security definer set search_path = '' as $$
    select p.id from public.projects p order by p.created_at, p.id
$$;

create or replace function keeper.ownerless_projects() returns setof uuid
language sql stable security definer set search_path = '' as $$
    select p.id from public.projects p
    where p.deleted_at is null
        and not exists (select from public.members m where m.project_id = p.id)
    order by p.created_at, p.id
$$;

-- A loose index scan: one probe per project, however many rows each has waiting.
create or replace function keeper.waiting_projects(after uuid, most int) returns setof uuid
language sql stable security definer set search_path = '' as $$
    with recursive p (id) as (
        (select i.project_id from public.inbox i where i.project_id > after
         order by i.project_id limit 1)
        union all
        select (select i.project_id from public.inbox i where i.project_id > p.id
                order by i.project_id limit 1)
        from p where p.id is not null
    )
    select p.id from p where p.id is not null limit most
$$;

create or replace function keeper.refolding_projects(among int) returns setof uuid
language sql stable security definer set search_path = '' as $$
    select distinct r.project_id
    from (select project_id from public.refolds order by started_at limit among) r
$$;

create or replace function keeper.due_projects(most int) returns setof uuid
language sql stable security definer set search_path = '' as $$
    select distinct d.project_id
    from (
        select l.project_id from public.leads l
        where l.due_at < (select clock_timestamp()) and l.merged_into is null
        order by l.due_at limit most
    ) d
$$;

create or replace function keeper.project_to_relabel() returns setof uuid
language sql stable security definer set search_path = '' as $$
    select p.id from public.projects p
    where p.labelled_version < p.model_version order by p.id limit 1
$$;

create or replace function keeper.counting_projects(most int) returns setof uuid
language sql stable security definer set search_path = '' as $$
    select distinct d.project_id
    from (
        select a.project_id from public.activity_deltas a order by a.project_id, a.id limit most
    ) d
$$;

create or replace function keeper.projects_with_old_conflicts(most int) returns setof uuid
language sql stable security definer set search_path = '' as $$
    select distinct c.project_id
    from (
        select e.project_id from public.event_conflicts e
        where e.received_at < clock_timestamp() - interval '7 days'
        order by e.received_at limit most
    ) c
$$;

create or replace function keeper.projects_with_old_generations() returns setof uuid
language sql stable security definer set search_path = '' as $$
    select distinct g.project_id from public.old_generations g
$$;

create or replace function keeper.rescoring_projects(most int) returns setof uuid
language sql stable security definer set search_path = '' as $$
    select distinct r.project_id
    from (
        select w.project_id from public.rescores w
        where w.finished_at is null order by w.started_at limit most
    ) r
$$;

create or replace function keeper.projects_with_removals(most int) returns setof uuid
language sql stable security definer set search_path = '' as $$
    select distinct r.project_id
    from (
        select l.project_id from public.lead_removals l order by l.removed_at limit most
    ) r
$$;

create or replace function keeper.erasing_projects(most int) returns setof uuid
language sql stable security definer set search_path = '' as $$
    select distinct e.project_id
    from (
        select o.project_id from public.erasures o
        where o.finished_at is null order by o.made_at limit most
    ) e
$$;

create or replace function keeper.retaining_projects(most int) returns setof uuid
language sql stable security definer set search_path = '' as $$
    select p.id from public.projects p
    left join public.retention_walks w on w.project_id = p.id
    where p.retention_days is not null and p.deleted_at is null
        and (w.project_id is null or w.days <> p.retention_days
             or w.next_at <= clock_timestamp())
    order by w.next_at nulls first, p.id limit most
$$;

create or replace function keeper.suppressing_projects() returns setof uuid
language sql stable security definer set search_path = '' as $$
    select p.id from public.projects p where p.suppression_version > 0
$$;

create or replace function keeper.importing_projects(most int) returns setof uuid
language sql stable security definer set search_path = '' as $$
    select w.project_id
    from (
        select i.project_id, i.turn_at from public.imports i
        join public.projects p on p.id = i.project_id
        where i.finished_at is null and p.deleted_at is null order by i.turn_at limit most
    ) w
    group by w.project_id order by min(w.turn_at)
$$;

create or replace function keeper.projects_with_old_imports(most int) returns setof uuid
language sql stable security definer set search_path = '' as $$
    select distinct o.project_id
    from (
        select i.project_id from public.imports i
        where i.finished_at < clock_timestamp() - interval '30 days'
        order by i.finished_at limit most
    ) o
$$;

create or replace function keeper.leaving_projects(most int) returns setof uuid
language sql stable security definer set search_path = '' as $$
    select p.id from public.projects p
    where p.deleted_at < clock_timestamp() - interval '7 days'
    order by p.deleted_at limit most
$$;

create or replace function keeper.projects_to_count(most int) returns setof uuid
language sql stable security definer set search_path = '' as $$
    select f.project_id from public.figures f
    where f.next_at <= (select clock_timestamp()) order by f.next_at limit most
$$;

-- The sessions, of any number of people, that run and work in the projects beside them.
create or replace function keeper.sessions_in_force(sessions uuid[], projects uuid[])
returns setof uuid
language sql stable security definer set search_path = '' as $$
    select w.s
    from unnest(sessions, projects) w (s, p)
    join public.sessions s on s.id = w.s and s.project_id = w.p
    join public.users u on u.id = s.user_id
    join public.members m on m.project_id = w.p and m.user_id = s.user_id
    join public.projects p on p.id = w.p
    where s.revoked_at is null and s.expires_at > clock_timestamp() and u.disabled_at is null
        and m.closed_at is null and p.deleted_at is null
$$;

-- Figures of the whole queue; of nobody in particular.
create or replace function keeper.queue(
    bound int, out waiting int, out oldest timestamptz, out retrying int, out failed int,
    out long_folds int
)
language sql stable security definer set search_path = '' as $$
    select count(*)::int, min(i.received_at),
        (select count(*)::int from public.scoring_failures
         where retry_at > clock_timestamp()),
        (select count(*)::int from public.dead_letters where state = 'open'),
        (select count(*)::int from public.refolds)
    from (select received_at from public.inbox limit bound) i
$$;

-- What leads are searched by. Under row security `like` may not use an index; in a view that
-- stands within the wall itself it may.
create or replace view keeper.profiles as
select p.project_id, p.lead_id, p.search, p.anonymous_id, p.name_key, p.status, p.owner, p.hidden
from public.lead_profiles p
where coalesce(p.project_id =
    (select nullif(current_setting('leadpulse.projects', true), '')::uuid[])[width_bucket(
        p.project_id,
        (select nullif(current_setting('leadpulse.projects', true), '')::uuid[]))], false);

revoke all on all functions in schema keeper from public;
revoke all on all tables in schema keeper from public;
grant usage on schema keeper to leadpulse_app, leadpulse_worker;
grant execute on all functions in schema keeper to leadpulse_app;
grant select on keeper.profiles to leadpulse_app;
grant execute on function
    keeper.waiting_projects, keeper.refolding_projects, keeper.due_projects,
    keeper.project_to_relabel, keeper.counting_projects, keeper.projects_with_old_conflicts,
    keeper.projects_with_old_generations, keeper.rescoring_projects, keeper.queue,
    keeper.projects_to_count
    to leadpulse_worker;
alter default privileges revoke execute on functions from public;

reset role;

-- ── The walls ────────────────────────────────────────────────────────────────────────
-- The sub-select makes the setting one array for the whole statement. It is in order, so that
-- width_bucket finds a project among a thousand in ten steps, and whatever is out of order is not
-- seen. The coalesce keeps the planner from looking rows up by the wall: with such a condition
-- beside the statement's own it no longer sees that a primary key finds one row, and takes any
-- index that begins with the project.
do $$
declare
    name text;
    wall text;
    policies text[];
    reached text := '(select nullif(current_setting(''leadpulse.projects'', true), '''')::uuid[])';
begin
    for name in
        select c.relname from pg_catalog.pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
            and (c.relname = 'projects' or exists (
                select from pg_catalog.pg_attribute a
                where a.attrelid = c.oid and a.attname = 'project_id' and not a.attisdropped))
        order by 1
    loop
        if not (select c.relrowsecurity and c.relforcerowsecurity from pg_catalog.pg_class c
                where c.oid = format('public.%I', name)::regclass) then
            execute format('alter table public.%I enable row level security,
                            force row level security', name);
        end if;
        select coalesce(array_agg(p.policyname::text), '{}') into policies
        from pg_catalog.pg_policies p where p.schemaname = 'public' and p.tablename = name;
        -- A session belongs to a person, wherever he works in it.
        wall := case name
            when 'sessions' then
                'user_id = (select nullif(current_setting(''leadpulse.user'', true), '''')::uuid)'
            else format('coalesce(%1$I = %2$s[width_bucket(%1$I, %2$s)], false)',
                        case name when 'projects' then 'id' else 'project_id' end, reached)
        end;
        if not 'wall' = any (policies) then
            execute format('create policy wall on public.%I using (%s)', name, wall);
        end if;
        if not 'keeper' = any (policies) then
            execute format('create policy keeper on public.%I for select to leadpulse_keeper
                            using (true)', name);
        end if;
        -- A person sees where he is a member before it is known which project he means.
        if name = 'members' and not 'own' = any (policies) then
            create policy own on public.members for select
            using (user_id = (select nullif(current_setting('leadpulse.user', true), '')::uuid));
        end if;
    end loop;
end $$;

-- ── Who may do what ──────────────────────────────────────────────────────────────────
alter default privileges revoke execute on functions from public;

revoke all on all tables in schema public
    from public, leadpulse_app, leadpulse_worker, leadpulse_keeper;
grant select on all tables in schema public to leadpulse_keeper;
grant select on all sequences in schema public to leadpulse_keeper;

grant select, insert, update, delete on all tables in schema public to leadpulse_app;
-- What was done is only ever added to.
revoke update, delete on audit_log from leadpulse_app;
revoke update on lead_changes from leadpulse_app;
revoke insert, update, delete on workers, alembic_version from leadpulse_app;

grant select (id, model_version, history_version, labelled_version, paused),
    update (labelled_version) on projects to leadpulse_worker;
grant select on models, identifiers, lead_roots, lead_merges, events to leadpulse_worker;
grant select, update on leads, rescores to leadpulse_worker;
grant select, insert, update on
    lead_profiles, stage_changes, score_revisions, dead_letters, activity, activity_totals, figures
    to leadpulse_worker;
grant select, insert on lead_changes to leadpulse_worker;
grant select, insert, update, delete on
    inbox, ledger, checkpoints, refolds, old_generations, scoring_failures, activity_deltas,
    figures_hourly, workers
    to leadpulse_worker;
grant select, delete on event_conflicts to leadpulse_worker;
grant select on alembic_version to leadpulse_worker;
