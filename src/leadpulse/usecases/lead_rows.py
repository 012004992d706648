"""Rows of a file against what is known of a project: what each says, and what would come of it.

A preview foresees with it; an import decides with it and then does what was decided.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from leadpulse.domain.errors import FieldError, Invalid, NotFound
from leadpulse.domain.identity import EMAIL, USER_ID, Graph, Named, apply, decide
from leadpulse.domain.lead_change import LeadChange, parse_imported
from leadpulse.domain.lead_file import Column, document
from leadpulse.ids import uuid7s
from leadpulse.postgres import identity, lead_changes, members
from leadpulse.postgres import suppressing as store
from leadpulse.usecases.suppressing import codes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leadpulse.domain.identity import Name
    from leadpulse.postgres.connect import Connection

ERASED: Final = "This person was erased, and nothing is kept of him until an owner lifts that."
DIFFERENT: Final = "The email belongs to one person and the userId to another one."
# Names that one statement looks up.
_AT_ONCE: Final = 2_000


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What rows are read by: the key of digests, and members by id and by address."""

    digest_key: bytes
    owners: Mapping[str, str]


async def circumstances(conn: Connection, project_id: str) -> Circumstances:
    """What holds in a project now. Raises NotFound."""
    facts = await lead_changes.project_facts(conn, project_id)
    if facts is None:
        raise NotFound("project", project_id)
    owners: dict[str, str] = {}
    for member in await members.list_members(conn, project_id):
        owners[member.email.lower()] = owners[member.user_id] = member.user_id
    return Circumstances(facts[0], owners)


def read(
    columns: Sequence[Column], cells: Sequence[str], owners: Mapping[str, str]
) -> LeadChange | str:
    """The change that a row asks for, or what is wrong with it."""
    try:
        said = document(columns, cells)
        owner = said.get("owner")
        if owner is not None:
            said["owner"] = owners.get(owner.lower())
            if said["owner"] is None:
                told = "is neither the address nor the id of a member of this project"
                raise Invalid([FieldError("owner", told)])  # noqa: TRY301 - told like all others
        return parse_imported(said)
    except Invalid as error:
        return error.detail


# ── Whom nothing is kept of ──────────────────────────────────────────────────────────


async def erased(
    conn: Connection, project_id: str, key: bytes, rows: Sequence[Sequence[Name]]
) -> set[int]:
    """Which of these rows, by the names in them, are about people who were erased."""
    if not await store.any_at_all(conn, project_id):
        return set()
    coded = await asyncio.to_thread(_coded, key, rows)
    every = [*dict.fromkeys(code for row in coded for code in row)]
    found: set[str] = set()
    for start in range(0, len(every), _AT_ONCE):
        part = every[start : start + _AT_ONCE]
        found |= await store.which_suppressed(conn, project_id, part)
    return {n for n, row in enumerate(coded) if not found.isdisjoint(row)}


def _coded(key: bytes, rows: Sequence[Sequence[Name]]) -> list[list[str]]:
    return [[code for name in names for code in codes(key, *name)] for names in rows]


# ── Whom they are about ──────────────────────────────────────────────────────────────


def named(project_id: str, change: LeadChange, now: int, event_id: str) -> Named:
    """Whom a change is about, said by somebody who is trusted."""
    user, email = (next(iter(change.identifiers.get(kind, ())), None) for kind in (USER_ID, EMAIL))
    return Named(project_id, trusted=True, ts=now, event_id=event_id, user_id=user, email=email)


def all_named(project_id: str, changes: Sequence[LeadChange], now: int) -> list[Named]:
    """The same of many, in their order."""
    ids = uuid7s(len(changes))
    return [named(project_id, *one) for one in zip(changes, [now] * len(changes), ids, strict=True)]


async def known(conn: Connection, project_id: str, items: Sequence[Named]) -> Graph:
    """All that is known of the people whom these name, with what their trees hold."""
    names = [*dict.fromkeys(name for item in items for name in item.names())]
    whole = Graph()
    for start in range(0, len(names), _AT_ONCE):
        asked = [(project_id, name) for name in names[start : start + _AT_ONCE]]
        graphs = await identity.load_graphs(conn, asked, [], {project_id})
        part = graphs.get(project_id, Graph())
        whole.identifiers.update(part.identifiers)
        whole.roots.update(part.roots)
        whole.trees.update(part.trees)
        whole.never.extend(part.never)
    return whole


class Foreseen(NamedTuple):
    """What comes of a row: its people are one person (`agrees`), and new ones (`creates`)."""

    agrees: bool
    creates: bool


def foresee(graph: Graph, items: Sequence[Named]) -> list[Foreseen]:
    """What comes of each, one after the other; those that don't agree have no effect."""
    found: list[Foreseen] = []
    for item, fresh in zip(items, uuid7s(len(items)), strict=True):
        decision = decide(graph, item, fresh)
        if not decision.conflict:
            apply(graph, item, decision)
        found.append(Foreseen(not decision.conflict, decision.created))
    return found


def agrees(graph: Graph, item: Named, lead_id: str) -> bool:
    """Whether all names of an item belong to the person of a lead."""
    root = graph.root(lead_id)
    held = [graph.identifiers.get(name) for name in item.names()]
    return all(one is not None and graph.root(one.lead) == root for one in held)
