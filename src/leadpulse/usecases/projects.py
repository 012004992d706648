"""Projects: made, shown, set, paused."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from leadpulse.domain import websites
from leadpulse.domain.errors import Conflict, FieldError, Invalid, NotFound
from leadpulse.domain.model import is_clean, model_document
from leadpulse.domain.permissions import SCOPES, Role
from leadpulse.domain.presets import PRESETS, preset
from leadpulse.ids import uuid7
from leadpulse.postgres import keeper, members
from leadpulse.postgres import projects as store
from leadpulse.postgres.keys import NewKey, insert_key
from leadpulse.postgres.projects import Identity, ProjectSettings
from leadpulse.postgres.session import reach, snapshot, unit
from leadpulse.usecases import audit
from leadpulse.usecases.keys import hash_key, new_secret_key, new_write_key

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.session import Pool

LONGEST_NAME: Final = 200
# What a project is called until somebody says.
FIRST_PROJECT: Final = "My project"
# Of one person. Each has a model, keys and counters of its own.
MOST_OWNED: Final = 100
_ZONE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}")
# Names of files, not of places.
_NO_ZONES: Final = ("posix", "right", "localtime", "factory")


class CreatedProject(NamedTuple):
    """A new project. The secret key is told here, once, and nowhere else."""

    id: str
    name: str
    preset: str
    write_key: str
    secret_key: str

    def document(self) -> dict[str, str]:
        """As clients see it."""
        return {
            "id": self.id,
            "name": self.name,
            "preset": self.preset,
            "writeKey": self.write_key,
            "secretKey": self.secret_key,
        }


@dataclass(frozen=True, slots=True)
class Wish:
    """A project that somebody wants."""

    name: str
    preset: str = "leadpulse"
    domain: str | None = None
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Shown:
    """A project as a member sees it; `role` is None for a key."""

    settings: ProjectSettings
    role: Role | None


async def create_project(
    conn: Connection, name: str, preset_name: str = "leadpulse"
) -> CreatedProject:
    """Makes a project with a model of its own and one key of each kind, in one transaction.

    Raises Invalid for a bad name or an unknown preset.
    """
    wish = Wish(name, preset_name)
    async with conn.transaction():
        project_id, write_key = await _make(conn, wish)
        secret = new_secret_key()
        # All scopes: whoever can make a project can do everything in it.
        key = NewKey(project_id, uuid7(), "secret", "Secret key", None, hash_key(secret), SCOPES)
        await insert_key(conn, key)
    return CreatedProject(project_id, name.strip(), preset_name, write_key, secret)


async def found_project(conn: Connection, user_id: str, wish: Wish) -> str:
    """Makes a project with a write key whose owner is a user; returns its id.

    Part of the caller's transaction, which can reach nothing but this project afterwards.
    Raises Invalid, naming every field.
    """
    project_id, _ = await _make(conn, wish)
    await members.insert_member(conn, project_id, user_id, "owner")
    return project_id


async def adopt_projects(conn: Connection, user_id: str, name: str) -> str | None:
    """Makes a user the owner of every project without a member; returns the oldest.

    That one gets a name, if it has none but its first. Part of the caller's transaction, which
    can reach these projects afterwards. Raises Invalid for the name.
    """
    found = await keeper.reach_ownerless(conn)
    if not found:
        return None
    oldest = await _settings(conn, found[0])
    if oldest.name == FIRST_PROJECT:
        wish = await _checked(conn, Wish(name, oldest.preset))
        await store.change(conn, oldest._replace(name=wish.name))
    for project_id in found:
        await members.insert_member(conn, project_id, user_id, "owner")
        about = (f"member:{user_id}", {"role": "owner"})
        await audit.record(conn, project_id, "member.joined", *about)
    return oldest.id


async def _make(conn: Connection, wish: Wish) -> tuple[str, str]:
    """Id and write key of a new project."""
    settings = await _checked(conn, wish)
    start = preset(wish.preset)
    model = replace(start, version=1, rules=tuple(replace(r, id=uuid7()) for r in start.rules))
    project = store.NewProject(
        uuid7(), settings.name, wish.preset, secrets.token_bytes(32), secrets.token_bytes(32),
        settings.domain, settings.time_zone,
    )  # fmt: skip
    await reach(conn, project.id)
    await store.insert_project(conn, project, model_document(model))
    key = new_write_key()
    await insert_key(conn, NewKey(project.id, uuid7(), "write", "Write key", key, hash_key(key)))
    said = {"name": project.name, "preset": project.preset}
    await audit.record(conn, project.id, "project.created", f"project:{project.id}", said)
    return project.id, key


# ── For members ──────────────────────────────────────────────────────────────────────


async def open_project(pool: Pool, user_id: str, wish: Wish) -> Shown:
    """Makes one more project of a person.

    Raises Invalid, and Conflict when one person owns too many.
    """
    async with unit(pool, None, user=user_id) as (conn, _):
        if await members.owned(conn, user_id) >= MOST_OWNED:
            raise Conflict(f"One person owns at most {MOST_OWNED} projects.", "too_many_projects")
        project_id = await found_project(conn, user_id, wish)
        (made,) = await store.settings(conn, [project_id])
    return Shown(made, "owner")


async def projects_of(conn: Connection, user_id: str) -> list[Shown]:
    """Every project of a person, the oldest first.

    For a transaction that can reach what is the user's; it can reach these projects then.
    """
    roles = await members.memberships(conn, user_id)
    await reach(conn, roles)
    return [Shown(each, roles[each.id]) for each in await store.settings(conn, [*roles])]


async def list_projects(pool: Pool, user_id: str) -> list[Shown]:
    """The same, for an answer."""
    async with snapshot(pool, None, user=user_id) as (conn, _):
        return await projects_of(conn, user_id)


async def get_project(pool: Pool, project_id: str) -> ProjectSettings:
    """The settings of a project. Raises NotFound."""
    async with snapshot(pool, project_id) as (conn, _):
        return await _settings(conn, project_id)


async def change_project(
    pool: Pool, project_id: str, changes: Mapping[str, Any]
) -> ProjectSettings:
    """Changes what is named: name, domain (None: none), timeZone, active.

    Raises Invalid and NotFound.
    """
    async with unit(pool, project_id) as (conn, _):
        await store.hold(conn, project_id)
        old = await _settings(conn, project_id)
        wish = Wish(
            changes.get("name", old.name),
            old.preset,
            changes.get("domain", old.domain),
            changes.get("timeZone", old.time_zone),
        )
        checked = await _checked(conn, wish)
        new = old._replace(
            name=checked.name,
            domain=checked.domain,
            time_zone=checked.time_zone,
            paused=not changes.get("active", not old.paused),
        )
        if new != old:
            await store.change(conn, new)
            said = _difference(old, new)
            await audit.record(conn, project_id, "project.changed", f"project:{project_id}", said)
    return new


def _difference(old: ProjectSettings, new: ProjectSettings) -> dict[str, list[Any]]:
    """What a change was from and to, by field."""
    was, now = old._asdict(), new._asdict()
    return {name: [was[name], now[name]] for name in now if was[name] != now[name]}


async def _settings(conn: Connection, project_id: str) -> ProjectSettings:
    found = await store.settings(conn, [project_id])
    if not found:
        raise NotFound("project", project_id)
    return found[0]


async def pause_project(conn: Connection, project_id: str, *, paused: bool) -> None:
    """Stops a project from taking events, or lets it go on. Raises NotFound."""
    async with conn.transaction():
        await reach(conn, project_id)
        if not await store.set_paused(conn, project_id, paused=paused):
            raise NotFound("project", project_id)
        said = {"paused": [not paused, paused]}
        await audit.record(conn, project_id, "project.changed", f"project:{project_id}", said)


# ── Signed identities ────────────────────────────────────────────────────────────────


async def get_identity(pool: Pool, project_id: str) -> Identity:
    """Whether claims of identity must be signed, and with what. Raises NotFound."""
    async with snapshot(pool, project_id) as (conn, _):
        return await _identity(conn, project_id)


async def set_identity(
    pool: Pool, project_id: str, *, demanded: bool, new_secret: bool = False
) -> Identity:
    """Demands signed claims of identity or doesn't; a new secret ends the old one at once.

    Raises NotFound.
    """
    async with unit(pool, project_id) as (conn, _):
        await store.hold(conn, project_id)
        old = await _identity(conn, project_id)
        new = Identity(demanded, secrets.token_bytes(32) if new_secret else old.secret)
        if new != old:
            await store.set_identity(conn, project_id, new)
            said = {"demanded": [old.demanded, new.demanded], "newSecret": new_secret}
            await audit.record(conn, project_id, "project.identity_changed", None, said)
    return new


async def _identity(conn: Connection, project_id: str) -> Identity:
    found = await store.identity(conn, project_id)
    if found is None:
        raise NotFound("project", project_id)
    return found


# ── Checks ───────────────────────────────────────────────────────────────────────────


async def _checked(conn: Connection, wish: Wish) -> Wish:
    """The same in the form in which it is stored. Raises Invalid, naming every field."""
    errors = []
    name, domain, zone = wish.name.strip(), wish.domain, wish.time_zone
    if not 1 <= len(name) <= LONGEST_NAME or not is_clean(name):
        errors.append(FieldError("name", f"must be 1 to {LONGEST_NAME} characters"))
    if wish.preset not in PRESETS:
        errors.append(FieldError("preset", "must be one of " + ", ".join(PRESETS)))
    if domain is not None:
        try:
            domain = websites.host(domain)
        except ValueError:
            errors.append(FieldError("domain", "must be a host name, like www.example.com"))
    found = await _zone(conn, zone)
    if found is None:
        errors.append(FieldError("timeZone", "must be a time zone, like Europe/Berlin"))
    if errors:
        raise Invalid(errors)
    return replace(wish, name=name, domain=domain, time_zone=found or zone)


async def _zone(conn: Connection, name: str) -> str | None:
    if name == "UTC":
        return name
    if not _ZONE.fullmatch(name) or name.lower().startswith(_NO_ZONES):
        return None
    return await store.time_zone(conn, name)
