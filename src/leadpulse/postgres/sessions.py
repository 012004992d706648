"""Sessions: found by id with all that decides what they are good for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from leadpulse.domain.permissions import Role

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

_FIND: Final = """
select s.id, s.user_id, u.email, u.name, u.email_verified_at is not null, u.operator,
       s.project_id, m.role, s.expires_at, u.password_hash is not null,
       s.revoked_at is not null or u.disabled_at is not null
           or s.expires_at <= clock_timestamp(),
       s.last_seen_at < clock_timestamp() - interval '1 minute'
from sessions s
join users u on u.id = s.user_id
left join members m on m.project_id = s.project_id and m.user_id = s.user_id
    and m.closed_at is null
where s.id = %s and s.user_id = %s
"""

_INSERT: Final = """
insert into sessions (id, user_id, project_id, expires_at, address, agent)
values (%(id)s, %(user_id)s, %(project_id)s,
        clock_timestamp() + %(seconds)s * interval '1 second', %(address)s, %(agent)s)
returning created_at
"""

# What is long over, and the oldest of those that are too many.
_TIDY: Final = """
delete from sessions where user_id = %(user)s and (
    expires_at < clock_timestamp() - interval '30 days'
    or revoked_at < clock_timestamp() - interval '1 hour'
    or id in (select id from sessions where user_id = %(user)s
              order by created_at desc, id desc offset %(most)s))
"""

_END: Final = """
update sessions set revoked_at = clock_timestamp()
where user_id = %(user)s and id = %(id)s and revoked_at is null
"""

_END_ALL: Final = """
update sessions set revoked_at = clock_timestamp()
where user_id = %(user)s and revoked_at is null and id is distinct from %(but)s::uuid
returning id
"""

_LIST: Final = """
select id, created_at, last_seen_at, expires_at, address, agent
from sessions
where user_id = %s and revoked_at is null and expires_at > clock_timestamp()
order by last_seen_at desc, id desc
"""

# One household's IPv6 addresses change from day to day, its network doesn't.
_KNOWN_ADDRESS: Final = """
select exists (
    select from sessions
    where user_id = %(user)s and revoked_at is null and (
        address = %(address)s
        or case when address ~ '^[0-9a-f]*:[0-9a-f:]+$' and %(network)s like '%%:%%/64'
           then address::inet <<= %(network)s::cidr end))
"""

_LAST_PROJECTS: Final = """
select project_id from sessions
where user_id = %s and project_id is not null
group by project_id order by max(last_seen_at) desc
"""


class NewSession(NamedTuple):
    """A session to be stored."""

    id: str
    user_id: str
    project_id: str | None
    seconds: int
    address: str | None
    agent: str | None


class FoundSession(NamedTuple):
    """A session, its user and the role in its project.

    `over`: revoked, expired, or of a disabled account; `idle`: not seen for a minute.
    """

    id: str
    user_id: str
    email: str
    name: str
    verified: bool
    operator: bool
    project_id: str | None
    role: Role | None
    expires_at: int
    has_password: bool
    over: bool
    idle: bool


class SessionRow(NamedTuple):
    """A session as its owner sees it in a list."""

    id: str
    created_at: int
    last_seen_at: int
    expires_at: int
    address: str | None
    agent: str | None


async def find_session(conn: Connection, session_id: str, user_id: str) -> FoundSession | None:
    """A session of this user, whatever its state."""
    cursor = await conn.execute(_FIND, (session_id, user_id))
    row = await cursor.fetchone()
    return None if row is None else FoundSession(*row)


async def note_seen(conn: Connection, session_id: str) -> None:
    """Notes that a session is in use."""
    await conn.execute(
        "update sessions set last_seen_at = clock_timestamp() where id = %s", (session_id,)
    )


async def insert_session(conn: Connection, session: NewSession, most: int) -> int:
    """Stores a session and returns the instant of it; of one user there are `most` at most."""
    await conn.execute(_TIDY, {"user": session.user_id, "most": most - 1})
    cursor = await conn.execute(_INSERT, session._asdict())
    return int(cast("tuple[Any, ...]", await cursor.fetchone())[0])


async def end_session(conn: Connection, user_id: str, session_id: str) -> bool:
    """Ends a session of this user; False if there is none that runs."""
    cursor = await conn.execute(_END, {"user": user_id, "id": session_id})
    return cursor.rowcount == 1


async def end_sessions(conn: Connection, user_id: str, but: str | None = None) -> list[str]:
    """Ends all sessions of a user, except one if it is named; returns which were ended."""
    cursor = await conn.execute(_END_ALL, {"user": user_id, "but": but})
    return [row[0] for row in await cursor.fetchall()]


async def list_sessions(conn: Connection, user_id: str) -> list[SessionRow]:
    """The sessions of a user that run, the one seen last first."""
    cursor = await conn.execute(_LIST, (user_id,))
    return [SessionRow(*row) for row in await cursor.fetchall()]


async def move_session(conn: Connection, session_id: str, project_id: str) -> None:
    """Lets a session work in another project."""
    await conn.execute(
        "update sessions set project_id = %s where id = %s", (project_id, session_id)
    )


async def known_address(conn: Connection, user_id: str, address: str, network: str) -> bool:
    """Tell whether the user has been logged in from this address or network lately."""
    cursor = await conn.execute(
        _KNOWN_ADDRESS, {"user": user_id, "address": address, "network": network}
    )
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def last_projects(conn: Connection, user_id: str) -> list[str]:
    """The projects in which a user's sessions work, the one seen last first."""
    cursor = await conn.execute(_LAST_PROJECTS, (user_id,))
    return [row[0] for row in await cursor.fetchall()]
