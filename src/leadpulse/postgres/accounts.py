"""Accounts and the links that are mailed to their owners."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import psycopg

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection

_FIELDS: Final = """
id, email, name, password_hash, google_subject, email_verified_at is not null, operator,
disabled_at is not null
"""

_BY_EMAIL: Final = f"select {_FIELDS} from users where email = %s"  # noqa: S608 - our own columns
_BY_ID: Final = f"select {_FIELDS} from users where id = %s"  # noqa: S608 - likewise
_BY_GOOGLE: Final = f"select {_FIELDS} from users where google_subject = %s"  # noqa: S608 - likewise

_INSERT: Final = """
insert into users (id, email, name, password_hash, google_subject, email_verified_at)
values (%(id)s, %(email)s, %(name)s, %(password_hash)s, %(google_subject)s,
        case when %(verified)s then clock_timestamp() end)
on conflict do nothing
"""

_JOIN_GOOGLE: Final = """
update users set google_subject = %s, email_verified_at = coalesce(email_verified_at, now())
where id = %s
"""

_DROP_LINKS: Final = """
delete from account_links where user_id = %s and (%s or expires_at < clock_timestamp())
"""

_INSERT_LINK: Final = """
insert into account_links (token_hash, user_id, purpose, email, expires_at)
values (%s, %s, %s, %s, clock_timestamp() + %s * interval '1 second')
"""

_FIND_LINK: Final = """
select l.user_id from account_links l join users u on u.id = l.user_id and u.email = l.email
where l.token_hash = %s and l.purpose = %s and l.used_at is null
  and l.expires_at > clock_timestamp() and u.disabled_at is null
"""

# Whoever comes second with the same link waits here and finds it used.
_USE_LINK: Final = """
update account_links set used_at = clock_timestamp()
where token_hash = %s and user_id = %s and used_at is null and expires_at > clock_timestamp()
"""

# Any number of our own; the first account is made once.
_FIRST_ACCOUNT: Final = 6_215_409_283_117


class NewUser(NamedTuple):
    """An account to be stored; the address is trimmed and lower-cased."""

    id: str
    email: str
    name: str
    password_hash: str | None
    google_subject: str | None = None
    verified: bool = False


class User(NamedTuple):
    """An account. Without a password it signs in with Google only."""

    id: str
    email: str
    name: str
    password_hash: str | None
    google_subject: str | None
    verified: bool
    operator: bool
    disabled: bool


async def user_by_email(conn: Connection, email: str) -> User | None:
    """The account with this address."""
    return await _user(conn, _BY_EMAIL, email)


async def user_by_id(conn: Connection, user_id: str) -> User | None:
    """The account with this id."""
    return await _user(conn, _BY_ID, user_id)


async def user_by_google(conn: Connection, subject: str) -> User | None:
    """The account that a Google account was joined to."""
    return await _user(conn, _BY_GOOGLE, subject)


async def hold_user(conn: Connection, user_id: str) -> User | None:
    """An account that nobody else changes until the transaction ends."""
    return await _user(conn, _BY_ID + " for no key update", user_id)


async def _user(conn: Connection, query: str, value: str) -> User | None:
    cursor = await conn.execute(query, (value,))
    row = await cursor.fetchone()
    return None if row is None else User(*row)


async def insert_user(conn: Connection, user: NewUser) -> bool:
    """Stores an account; False if its address or its Google account has one already."""
    cursor = await conn.execute(_INSERT, user._asdict())
    return cursor.rowcount == 1


async def is_first(conn: Connection) -> bool:
    """Tell whether there is no account yet; until the transaction ends nobody else can ask."""
    await conn.execute("select pg_advisory_xact_lock(%s)", (_FIRST_ACCOUNT,))
    cursor = await conn.execute("select not exists (select from users)")
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def is_empty(conn: Connection) -> bool:
    """The same as things stand, for who only looks."""
    cursor = await conn.execute("select not exists (select from users)")
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def set_name(conn: Connection, user_id: str, name: str) -> None:
    """Gives a person another name."""
    await conn.execute("update users set name = %s where id = %s", (name, user_id))


async def set_password(conn: Connection, user_id: str, password_hash: str | None) -> None:
    """Gives an account another password, or none."""
    await conn.execute(
        "update users set password_hash = %s where id = %s", (password_hash, user_id)
    )


async def set_verified(conn: Connection, user_id: str) -> None:
    """Notes that the address is the person's own."""
    await conn.execute(
        "update users set email_verified_at = coalesce(email_verified_at, clock_timestamp()) "
        "where id = %s",
        (user_id,),
    )


async def join_google(conn: Connection, user_id: str, subject: str) -> bool:
    """Lets a Google account into this one from now on; its address is verified.

    False if another account was faster; nothing else can be done in this transaction then.
    """
    try:
        await conn.execute(_JOIN_GOOGLE, (subject, user_id))
    except psycopg.errors.UniqueViolation:
        return False
    return True


async def insert_link(
    conn: Connection, token_hash: bytes, user: User, purpose: str, seconds: int
) -> None:
    """Stores a link to the user's present address; what is over of earlier ones goes."""
    await drop_links(conn, user.id, every=False)
    await conn.execute(_INSERT_LINK, (token_hash, user.id, purpose, user.email, seconds))


async def find_link(conn: Connection, token_hash: bytes, purpose: str) -> User | None:
    """The account of a link; None if the link is no good (any more)."""
    cursor = await conn.execute(_FIND_LINK, (token_hash, purpose))
    row = await cursor.fetchone()
    return None if row is None else await user_by_id(conn, row[0])


async def use_link(conn: Connection, token_hash: bytes, user_id: str) -> bool:
    """Uses a link up; False if somebody else has, or its time is over."""
    cursor = await conn.execute(_USE_LINK, (token_hash, user_id))
    return cursor.rowcount == 1


async def drop_links(conn: Connection, user_id: str, *, every: bool) -> None:
    """Removes a user's links: those that are over, or all."""
    await conn.execute(_DROP_LINKS, (user_id, every))
