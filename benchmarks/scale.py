"""How the cost of an event changes with leads, projects and stored events."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import msgspec

from benchmarks.installation import Installation
from benchmarks.load import bodies, events, first_visits
from benchmarks.pipeline import flow, flow_of_projects

# Browsers of each of the many projects.
_PEOPLE = 5
_TURNS = 4

_MANY_PROJECTS = """
with source as (select * from projects where id = %(source)s),
     fresh as (
        select gen_random_uuid() as id, n from generate_series(1, %(count)s) n),
     made as (
        insert into projects (id, name, preset, digest_key, identity_secret)
        select f.id, 'Project ' || f.n, s.preset, s.digest_key, s.identity_secret
          from fresh f, source s returning id),
     modelled as (
        insert into models (project_id, version, scope, document)
        select f.id, 1, 'all-history', m.document
          from fresh f, models m where m.project_id = %(source)s and m.version = 1)
insert into api_keys (project_id, id, kind, name, shown, key_hash)
select f.id, gen_random_uuid(), 'write', 'bench', k.key, sha256(k.key::bytea)
  from fresh f join jsonb_to_recordset(%(keys)s::jsonb) k (n int, key text) on k.n = f.n
"""


def admin_key(server: Installation) -> str:
    """A secret key that may do everything in the project."""
    made = server.command(
        "keys", "create", "--project", server.project, "--name", "bench", "--kind", "secret",
        "--scope", "admin", "--scope", "leads:read",
    )  # fmt: skip
    return str(made["key"])


async def name_some(server: Installation) -> None:
    """Gives a fifth of the leads a name and an address, so that a search has what to find."""
    await server.database.execute(
        """
        update lead_profiles set
            name = (array['Anna','Hannah','Yuki','John','Maria','Ravi'])[1 + (r %% 6)] || ' '
                || (array['Rossi','Smith','Garcia','Tanaka','Weber'])[1 + (r / 7 %% 5)] || r,
            email = 'person' || r || '@example.com',
            company = (array['Acme','Globex','Initech','Umbrella'])[1 + (r / 11 %% 4)]
        from (select lead_id, row_number() over () as r from lead_profiles
               where project_id = %(p)s and abs(hashtext(lead_id::text)) %% 5 = 0) chosen
        where project_id = %(p)s and chosen.lead_id = lead_profiles.lead_id
        """,
        {"p": server.project},
    )
    await server.database.execute("vacuum analyze lead_profiles")


async def many_projects(server: Installation, projects: int, count: int) -> float:
    """Cost with half the load in one project and half spread over the rest.

    The control is the same requests to one project alone, turn and turn about.
    """
    leads = 20_000
    await flow(server, first_visits(leads))
    keys = [f"pk_{secrets.token_hex(24)}" for _ in range(projects)]
    await server.database.execute(
        _MANY_PROJECTS,
        {
            "source": server.project,
            "count": projects,
            "keys": msgspec.json.encode(
                [{"n": n, "key": key} for n, key in enumerate(keys, start=1)]
            ).decode(),
        },
    )
    # Everybody's leads exist before the clock starts, as they do for the control.
    await flow_of_projects(server, [], [(key, first_visits(_PEOPLE)[0]) for key in keys])
    portion = count // _TURNS // 2
    alone, spread = 0.0, 0.0
    for turn in range(_TURNS):
        big, small = bodies(portion, leads, seed=20 + turn), _small_bodies(portion, seed=40 + turn)
        mine = [(server.secret_key, body) for body in small]
        alone += (await flow_of_projects(server, big, mine)).cost
        big, small = bodies(portion, leads, seed=60 + turn), _small_bodies(portion, seed=80 + turn)
        start = turn * len(small)
        theirs = [(keys[(start + n) % projects], body) for n, body in enumerate(small)]
        spread += (await flow_of_projects(server, big, theirs)).cost
    return spread / alone


def _small_bodies(count: int, seed: int) -> list[bytes]:
    """Batches of ten events, all of the same few browsers."""
    return [
        msgspec.json.encode({"events": list(events(10, _PEOPLE, seed=seed * 100_003 + n))})
        for n in range(max(1, count // 10))
    ]


async def growth(server: Installation, note: Callable[[str], None]) -> float:
    """Cost of the tenth million of events against that of the second."""
    leads = 20_000
    await flow(server, first_visits(leads))
    costs = []
    for million in range(10):
        made = await flow(server, bodies(1_000_000, leads, seed=100 + million))
        costs.append(made.cost)
        note(f"million {million + 1}: {made.rate:,.0f}/s, {made.cost:.0f} CPU µs per event")
    return costs[9] / costs[1]
