-- Files of leads that are imported: each with its rows, until they are done.

create table imports (
    project_id uuid not null references projects on delete cascade,
    id uuid not null,
    name text not null,
    columns jsonb not null,
    made_by text not null,
    status text not null default 'waiting'
        check (status in ('waiting', 'running', 'done', 'failed')),
    rows int not null,
    -- The last row that was looked at, and what became of those up to it.
    cursor uuid not null default '00000000-0000-0000-0000-000000000000',
    done int not null default 0,
    created int not null default 0,
    updated int not null default 0,
    rejected int not null default 0,
    -- Rows that go one by one since a portion failed, and portions that did.
    careful int not null default 0,
    stumbles int not null default 0,
    error text,
    created_at timestamptz not null default clock_timestamp(),
    turn_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    primary key (project_id, id),
    check ((finished_at is null) = (status in ('waiting', 'running')))
);
create index imports_open on imports (turn_at) where finished_at is null;
create index imports_over on imports (finished_at) where finished_at is not null;

-- Those that are done well are gone; of rejected ones `problem` says why.
create table import_rows (
    project_id uuid not null references projects on delete cascade,
    import_id uuid not null,
    id uuid not null,
    line int not null,
    cells jsonb not null,
    problem text,
    primary key (project_id, import_id, id)
);
create unique index import_rows_by_id on import_rows (project_id, id);

-- Traces of an erased person are looked for in what waits to be imported, too.
alter table erasures drop constraint erasures_phase_check;
alter table erasures add constraint erasures_phase_check
    check (phase in ('rows', 'conflicts', 'imports', 'events', 'profiles', 'done'));
