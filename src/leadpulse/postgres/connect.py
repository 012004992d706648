"""Connections to PostgreSQL, and what values look like above them.

Everything above `leadpulse.postgres` sees instants as integers, microseconds
since 1970-01-01 UTC, and ids as strings: both are what the domain computes with,
compare exactly, and cost a tenth of `datetime` and `UUID` objects. Results come
in PostgreSQL's binary format. JSON is decoded to plain Python values.

As parameters: an id is its string (`%s::uuid` where the type is not evident), an
instant is `Instant(microseconds)`, or a plain integer through
`to_timestamp_us(bigint)` where the schema has it.
"""

from __future__ import annotations

import datetime as dt
import struct
from typing import TYPE_CHECKING, Any, Final, LiteralString

import msgspec
import psycopg
from psycopg import AsyncConnection, AsyncCursor, AsyncServerCursor
from psycopg.adapt import Dumper, Loader
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import Format
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg_pool import AsyncConnectionPool

if TYPE_CHECKING:
    from psycopg.abc import AdaptContext, Buffer

# PostgreSQL counts from 2000-01-01.
_EPOCH_SHIFT: Final = 946_684_800_000_000
_INT64 = struct.Struct("!q")
_UNIX_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
# ±infinity keep their order: they are the ends of what PostgreSQL can say.
INFINITY: Final = 2**63 - 1
MINUS_INFINITY: Final = -(2**63)

# In which role each kind of process works, whoever it logs in as. Those that are not named here
# stay what they log in as: backups and restores, which say themselves who they are, and what
# looks after the server's sessions instead of its tables.
APP: Final = "leadpulse_app"
WORKER: Final = "leadpulse_worker"
_ROLES: Final[dict[str, LiteralString]] = {
    "api": APP, "command": APP, "import": APP, "imports": APP, "intake": APP, "start": APP,
    "privacy": APP, "verify": APP, "figures": WORKER, "health": WORKER, "hints": WORKER,
    "live": WORKER, "scorer": WORKER, "upkeep": WORKER, "worker": WORKER,
}  # fmt: skip
AS_LOGIN: Final = frozenset(("backup", "doctor", "restore", "watchdog"))

# A dead network is noticed within about half a minute, not after two hours.
_NETWORK: Final[dict[str, Any]] = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


class Instant(int):
    """Microseconds since the epoch, sent as timestamptz."""

    __slots__ = ()


class _InstantLoader(Loader):
    format = Format.BINARY

    def load(self, data: Buffer) -> int:
        value: int = _INT64.unpack(data)[0]
        if value in (INFINITY, MINUS_INFINITY):
            return value
        return value + _EPOCH_SHIFT


class _InstantTextLoader(Loader):
    """For the rare result in text format, so that the type never depends on the format."""

    def load(self, data: Buffer) -> int:
        text = bytes(data).decode("ascii")
        if text == "infinity":
            return INFINITY
        if text == "-infinity":
            return MINUS_INFINITY
        return (dt.datetime.fromisoformat(text) - _UNIX_EPOCH) // _MICROSECOND


class _IdLoader(Loader):
    format = Format.BINARY

    def load(self, data: Buffer) -> str:
        digits = bytes(data).hex()
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class _IdTextLoader(Loader):
    def load(self, data: Buffer) -> str:
        return bytes(data).decode("ascii")


class _InstantDumper(Dumper):
    format = Format.BINARY
    oid = psycopg.adapters.types["timestamptz"].oid

    def dump(self, obj: Instant) -> bytes:
        return _INT64.pack(obj - _EPOCH_SHIFT)


class BinaryCursor(AsyncCursor[Any]):
    """A cursor whose results are binary without being asked each time."""

    def __init__(self, connection: AsyncConnection[Any], **options: Any) -> None:
        super().__init__(connection, **options)
        self.format = Format.BINARY


class BinaryServerCursor(AsyncServerCursor[Any]):
    """The same for a named cursor, which reads long results in portions."""

    def __init__(self, connection: AsyncConnection[Any], name: str, **options: Any) -> None:
        super().__init__(connection, name, **options)
        self.format = Format.BINARY


class Connection(AsyncConnection[tuple[Any, ...]]):
    """A connection that speaks the types described at the top of this module."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # Set by the base for every connection, so names of the class would be hidden.
        self.cursor_factory = BinaryCursor
        self.server_cursor_factory = BinaryServerCursor


def adapt(context: AdaptContext) -> None:
    """Teach a connection (or any psycopg context) our types."""
    adapters = context.adapters
    if adapters is None:
        raise TypeError("this context holds no adapters")
    adapters.register_loader("timestamptz", _InstantLoader)
    adapters.register_loader("timestamptz", _InstantTextLoader)
    adapters.register_loader("uuid", _IdLoader)
    adapters.register_loader("uuid", _IdTextLoader)
    adapters.register_dumper(Instant, _InstantDumper)
    set_json_loads(msgspec.json.decode, context)
    set_json_dumps(msgspec.json.encode, context)


async def connect(dsn: str, name: str, *, autocommit: bool = True) -> Connection:
    """Open one connection, shown to operators as `leadpulse-<name>`, in the role of that name."""
    connection = await Connection.connect(_conninfo(dsn, name), autocommit=autocommit)
    adapt(connection)
    return connection


def pool(
    dsn: str, name: str, *, smallest: int = 1, largest: int = 10
) -> AsyncConnectionPool[Connection]:
    """Return a pool that is still closed: `await pool.open()` it, or use `async with`.

    Connections come in autocommit mode, are checked before they are lent, and callers
    wait at most 10 s for a free one.
    """

    async def configure(connection: Connection) -> None:
        adapt(connection)

    return AsyncConnectionPool(
        _conninfo(dsn, name),
        connection_class=Connection,
        kwargs={"autocommit": True},
        min_size=smallest,
        max_size=largest,
        configure=configure,
        check=AsyncConnectionPool.check_connection,
        timeout=10.0,
        # Given up soon, so that the first who asks after an outage begins anew at once,
        # instead of waiting for the end of a pause that has grown to minutes.
        reconnect_timeout=2.0,
        name=f"leadpulse-{name}",
        open=False,
    )


def redact(dsn: str) -> str:
    """Return the address without its password, fit for a message or a log."""
    parts = conninfo_to_dict(dsn)
    if parts.get("password"):
        parts["password"] = "***"  # noqa: S105 - this is how it is hidden
    return make_conninfo("", **parts)


def _conninfo(dsn: str, name: str) -> str:
    given = conninfo_to_dict(dsn)
    options: LiteralString = "-c TimeZone=UTC -c client_min_messages=warning"
    # At login, so that no statement ever runs as somebody else, and a reset comes back to it.
    role: LiteralString = f" -c role={_ROLES[name]}" if name in _ROLES else ""
    merged = {
        **_NETWORK,
        **given,
        "application_name": f"leadpulse-{name}",
        # What the address itself asks for comes later, and so wins; but for the role.
        "options": f"{options} {given.get('options') or ''}".strip() + role,
    }
    return make_conninfo("", **merged)
