"""Looking after the keys of a project: made, named, rotated, switched off and on, revoked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from leadpulse.domain import websites
from leadpulse.domain.errors import Conflict, FieldError, Invalid, NotFound
from leadpulse.domain.facts import SECOND
from leadpulse.domain.model import is_clean
from leadpulse.domain.permissions import DEFAULT_SCOPES, SCOPES, Permission
from leadpulse.domain.timestamps import to_rfc3339
from leadpulse.ids import uuid7
from leadpulse.postgres import project_keys as store
from leadpulse.postgres import projects
from leadpulse.postgres.keys import NewKey, insert_key
from leadpulse.postgres.project_keys import KeyRow, Kind
from leadpulse.postgres.session import snapshot, unit
from leadpulse.usecases import audit
from leadpulse.usecases.keys import hash_key, new_secret_key, new_write_key
from leadpulse.usecases.standing import Asker, person, standing

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.session import Pool

State = Literal["active", "off", "expired", "revoked"]

NEEDED: Final[Mapping[str, Permission]] = {
    "write": Permission.WRITE_KEYS,
    "secret": Permission.SECRET_KEYS,
}
LONGEST_NAME: Final = 200
MOST_ORIGINS: Final = 50
MOST_KEYS: Final = 100
# How long the old key works beside the new one.
HOUR: Final = 3_600 * SECOND
DEFAULT_GRACE: Final = 24 * HOUR
LONGEST_GRACE: Final = 90 * 24 * HOUR


@dataclass(frozen=True, slots=True)
class Wish:
    """A key that somebody wants. `expires_at` in µs; no scopes: the default ones."""

    kind: Kind
    name: str = ""
    scopes: Sequence[str] | None = None
    origins: Sequence[str] | None = None
    expires_at: int | None = None


class MadeKey(NamedTuple):
    """A new key. If it is a secret one it is told here, once, and nowhere else."""

    id: str
    kind: Kind
    name: str
    key: str


class Rotated(NamedTuple):
    """A new key in the place of another, which works until an instant (µs)."""

    made: MadeKey
    old_id: str
    old_until: int


async def list_keys(
    pool: Pool, project_id: str, kinds: Sequence[str] = ("write", "secret")
) -> list[tuple[KeyRow, State]]:
    """The keys of these kinds with what can be done with them now, the oldest first.

    Raises NotFound.
    """
    async with snapshot(pool, project_id) as (conn, now):
        found = await store.list_keys(conn, project_id)
        if not found and not await projects.settings(conn, [project_id]):
            raise NotFound("project", project_id)
    return [(key, state_of(key, now)) for key in found if key.kind in kinds]


def state_of(key: KeyRow, now: int) -> State:
    """What can be done with a key."""
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is not None and key.expires_at <= now:
        return "expired"
    return "active" if key.disabled_at is None else "off"


async def make_key(pool: Pool, project_id: str, wish: Wish, by: Asker) -> MadeKey:
    """Makes a key. Raises Invalid, Forbidden, NotFound, and Conflict when there are too many."""
    async with unit(pool, project_id, user=person(by)) as (conn, now):
        await _hold(conn, project_id)
        (await standing(conn, project_id, by))(NEEDED[wish.kind])
        made, key = _new(project_id, _checked(wish, now))
        await _insert(conn, key)
        await audit.record(conn, project_id, "key.made", f"key:{key.id}", _said(key))
    return made


async def change_key(
    pool: Pool, key: tuple[str, str], changes: Mapping[str, Any], by: Asker
) -> tuple[KeyRow, State]:
    """Changes what is named of a key (project, id): name, origins, expiresAt, active.

    Raises Invalid, Forbidden, NotFound, and Conflict for one that was revoked.
    """
    project_id, key_id = key
    async with unit(pool, project_id, user=person(by)) as (conn, now):
        old = await _held(conn, project_id, key_id, by)
        wish = Wish(
            old.kind,
            changes.get("name", old.name),
            old.scopes,
            changes.get("origins", old.origins),
            changes.get("expiresAt"),
        )
        checked = _checked(wish, now)
        new = old._replace(name=checked.name, origins=list(checked.origins or ()))
        if "expiresAt" in changes:
            new = new._replace(expires_at=checked.expires_at)
        if "active" in changes:
            off = old.disabled_at or now
            new = new._replace(disabled_at=None if changes["active"] else off)
        if new != old:
            await store.change_key(conn, project_id, new)
            await audit.record(
                conn, project_id, "key.changed", f"key:{key_id}", _difference(old, new)
            )
    return new, state_of(new, now)


async def revoke_key(pool: Pool, project_id: str, key_id: str, by: Asker) -> None:
    """Takes a key out of use for good. Raises Forbidden, NotFound; Conflict if it was before."""
    async with unit(pool, project_id, user=person(by)) as (conn, now):
        old = await _held(conn, project_id, key_id, by)
        await store.change_key(conn, project_id, old._replace(revoked_at=now))
        said = {"kind": old.kind, "name": old.name}
        await audit.record(conn, project_id, "key.revoked", f"key:{key_id}", said)


async def rotate_key(
    pool: Pool, project_id: str, key_id: str | None, grace: int, by: Asker
) -> Rotated:
    """Makes a key like another one, which works for `grace` µs more and then no longer.

    One that was to end at an instant is followed by one that ends then.

    Without an id it is about the write key in use. Raises Invalid, Forbidden, NotFound, and
    Conflict for a key that doesn't work any more.
    """
    if not 0 <= grace <= LONGEST_GRACE:
        raise Invalid([FieldError("graceHours", f"must be 0 to {LONGEST_GRACE // HOUR}")])
    async with unit(pool, project_id, user=person(by)) as (conn, now):
        await _hold(conn, project_id)
        wanted = key_id or await store.current_write_key(conn, project_id)
        if wanted is None:
            raise Conflict("The project has no write key in use. Make one.", "key_over")
        old = await _held(conn, project_id, wanted, by)
        if state_of(old, now) == "expired":
            raise Conflict("This key has expired. Make a new one.", "key_over")
        like = Wish(old.kind, old.name, old.scopes, old.origins, old.expires_at)
        made, key = _new(project_id, like)
        await _insert(conn, key)
        until = min(now + grace, old.expires_at or now + grace)
        await store.change_key(conn, project_id, old._replace(expires_at=until))
        said = {"kind": old.kind, "name": old.name, "new": key.id, "until": to_rfc3339(until)}
        await audit.record(conn, project_id, "key.rotated", f"key:{old.id}", said)
    return Rotated(made, old.id, until)


# ── Parts ────────────────────────────────────────────────────────────────────────────


async def _hold(conn: Connection, project_id: str) -> None:
    if not await projects.hold(conn, project_id):
        raise NotFound("project", project_id)


async def _held(conn: Connection, project_id: str, key_id: str, by: Asker) -> KeyRow:
    """A key that may be changed by whoever calls, and can be."""
    found = await store.hold_key(conn, project_id, key_id)
    if found is None:
        raise NotFound("key", key_id)
    (await standing(conn, project_id, by))(NEEDED[found.kind])
    if found.revoked_at is not None:
        raise Conflict("This key was revoked. Make a new one.", "key_over")
    return found


async def _insert(conn: Connection, key: NewKey) -> None:
    if await store.count_keys(conn, key.project_id) >= MOST_KEYS:
        raise Conflict(f"A project has at most {MOST_KEYS} keys in use.", "too_many_keys")
    await insert_key(conn, key)


def _new(project_id: str, wish: Wish) -> tuple[MadeKey, NewKey]:
    secret = wish.kind == "secret"
    text = new_secret_key() if secret else new_write_key()
    key = NewKey(
        project_id=project_id,
        id=uuid7(),
        kind=wish.kind,
        name=wish.name,
        shown=None if secret else text,
        key_hash=hash_key(text),
        scopes=tuple(wish.scopes or ()),
        origins=tuple(wish.origins or ()),
        expires_at=wish.expires_at,
        created_by=audit.actor().id,
    )
    return MadeKey(key.id, wish.kind, key.name, text), key


def _checked(wish: Wish, now: int) -> Wish:
    """The same in the form in which it is stored. Raises Invalid, naming every field."""
    errors = []
    name = wish.name.strip() or f"{wish.kind.capitalize()} key"
    if len(name) > LONGEST_NAME or not is_clean(name):
        errors.append(FieldError("name", f"must be 1 to {LONGEST_NAME} characters"))
    if wish.expires_at is not None and wish.expires_at <= now:
        errors.append(FieldError("expiresAt", "must be in the future"))
    scopes = _scopes(wish, errors)
    origins = _origins(wish, errors)
    if errors:
        raise Invalid(errors)
    return Wish(wish.kind, name, scopes, origins, wish.expires_at)


def _scopes(wish: Wish, errors: list[FieldError]) -> tuple[str, ...]:
    if wish.kind == "write":
        if wish.scopes:
            errors.append(FieldError("scopes", "must be empty: a write key only sends events"))
        return ()
    wanted = DEFAULT_SCOPES if wish.scopes is None else wish.scopes
    if not wanted or not set(wanted) <= set(SCOPES):
        errors.append(FieldError("scopes", "must be some of " + ", ".join(SCOPES)))
    return tuple(scope for scope in SCOPES if scope in wanted)


def _origins(wish: Wish, errors: list[FieldError]) -> tuple[str, ...]:
    wanted = wish.origins or ()
    if wish.kind == "secret" and wanted:
        errors.append(FieldError("origins", "must be empty: a secret key stands in no page"))
        return ()
    if len(wanted) > MOST_ORIGINS:
        errors.append(FieldError("origins", f"must be at most {MOST_ORIGINS}"))
        return ()
    found: dict[str, None] = {}
    for number, text in enumerate(wanted):
        try:
            found[websites.origin(text)] = None
        except ValueError as wrong:
            errors.append(FieldError(f"origins[{number}]", str(wrong)))
    return tuple(found)


def _said(key: NewKey) -> dict[str, Any]:
    """What the audit log tells of a new key: everything but the key."""
    said: dict[str, Any] = {"kind": key.kind, "name": key.name}
    if key.scopes:
        said["scopes"] = list(key.scopes)
    if key.origins:
        said["origins"] = list(key.origins)
    if key.expires_at is not None:
        said["expiresAt"] = to_rfc3339(key.expires_at)
    return said


def _difference(old: KeyRow, new: KeyRow) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if old.name != new.name:
        said["name"] = [old.name, new.name]
    if old.origins != new.origins:
        said["origins"] = [old.origins, new.origins]
    if old.expires_at != new.expires_at:
        said["expiresAt"] = [at and to_rfc3339(at) for at in (old.expires_at, new.expires_at)]
    if old.disabled_at != new.disabled_at:
        said["active"] = [old.disabled_at is None, new.disabled_at is None]
    return said
