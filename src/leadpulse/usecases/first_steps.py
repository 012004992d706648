"""How far a project has come since it was made; told by facts, put away by each for himself."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from leadpulse.postgres import first_steps as store
from leadpulse.postgres.session import snapshot, unit

if TYPE_CHECKING:
    from leadpulse.postgres.first_steps import Steps
    from leadpulse.postgres.session import Pool
    from leadpulse.usecases.principals import Principal


class FirstSteps(NamedTuple):
    """The first of everything, and whether who asks has put this away."""

    steps: Steps
    dismissed: bool


async def first_steps(pool: Pool, by: Principal) -> FirstSteps:
    """How far the project of who asks is; keys put nothing away."""
    async with snapshot(pool, by.project_id) as (conn, _):
        found = await store.steps(conn, by.project_id)
        person = by.kind == "session"
        away = person and await store.dismissed(conn, by.project_id, by.id)
    return FirstSteps(found, away)


async def dismiss(pool: Pool, by: Principal, *, dismissed: bool) -> None:
    """Puts the first steps away for who asks, or shows them again."""
    async with unit(pool, by.project_id) as (conn, now):
        await store.dismiss(conn, by.project_id, by.id, now if dismissed else None)
