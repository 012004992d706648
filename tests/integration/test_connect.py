from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from leadpulse.postgres.connect import (
    INFINITY,
    MINUS_INFINITY,
    Connection,
    Instant,
    connect,
    pool,
    redact,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_ID = "0192f0c1-0000-7000-8000-000000000001"
_AT = 1_700_000_000_000_001


async def _one(connection: Connection, query: bytes, values: Sequence[object] = ()) -> object:
    row = await (await connection.execute(query, values)).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.both_postgres
async def test_values_above_the_store_are_plain(pg: Connection) -> None:
    """Instants are integers, ids are strings, JSON is Python, also inside arrays."""
    assert await _one(pg, b"SELECT '2023-11-14T22:13:20.000001Z'::timestamptz") == _AT
    assert await _one(pg, b"SELECT %s::uuid", (_ID,)) == _ID
    assert await _one(pg, b"SELECT array[%s::uuid, null]", (_ID,)) == [_ID, None]
    assert await _one(pg, b"SELECT array['1970-01-01T00:00:00Z'::timestamptz]") == [0]
    assert await _one(pg, b"SELECT '{\"a\": [1, 1.5, null]}'::jsonb") == {"a": [1, 1.5, None]}
    assert await _one(pg, b"SELECT %s::jsonb ->> 'a'", (Jsonb({"a": "ü"}),)) == "ü"


@pytest.mark.both_postgres
async def test_infinity_stays_at_the_ends(pg: Connection) -> None:
    """The infinite instants are the greatest and the least integer."""
    assert await _one(pg, b"SELECT 'infinity'::timestamptz") == INFINITY
    assert await _one(pg, b"SELECT '-infinity'::timestamptz") == MINUS_INFINITY


async def test_the_type_does_not_depend_on_the_format(pg: Connection) -> None:
    """A cursor in text format gives the same values."""
    text = psycopg.AsyncCursor(pg)
    await text.execute(
        "SELECT %s::timestamptz, %s::uuid, 'infinity'::timestamptz", (Instant(_AT), _ID)
    )
    assert await text.fetchone() == (_AT, _ID, INFINITY)


@given(at=st.integers(min_value=0, max_value=4_102_444_800_000_000))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_an_instant_survives_the_round_trip(pg: Connection, at: int) -> None:
    """Any microsecond from 1970 to 2100 comes back as it was sent."""
    assert await _one(pg, b"SELECT %s::timestamptz", (Instant(at),)) == at


async def test_a_named_cursor_gives_the_same(pg: Connection) -> None:
    """Reading in portions gives the same types as reading at once."""
    async with pg.transaction(), pg.cursor(name="portions") as cursor:
        await cursor.execute("SELECT to_timestamp(n) FROM generate_series(1, 3) n")
        assert [row[0] async for row in cursor] == [1_000_000, 2_000_000, 3_000_000]


async def test_operators_see_who_is_connected(database: str) -> None:
    """Connections and pools show their purpose in pg_stat_activity and speak our types."""
    alone = await connect(database, "alone")
    assert await _one(alone, b"SHOW application_name") == "leadpulse-alone"
    assert await _one(alone, b"SHOW timezone") == "UTC"
    await alone.close()
    async with pool(database, "many", largest=2) as several, several.connection() as lent:
        assert await _one(lent, b"SHOW application_name") == "leadpulse-many"
        assert await _one(lent, b"SELECT '1970-01-01T00:00:01Z'::timestamptz") == 1_000_000
        assert lent.autocommit


async def test_options_of_the_address_are_kept(database: str) -> None:
    """What the address asks for is still asked for."""
    connection = await connect(f"{database}&options=-c%20statement_timeout%3D7s", "test")
    assert await _one(connection, b"SHOW statement_timeout") == "7s"
    await connection.close()


def test_a_password_is_hidden() -> None:
    """The form for messages keeps the address and hides the password."""
    shown = redact("postgresql://user:geheim@db.example:5433/name")
    assert "geheim" not in shown
    assert "db.example" in shown
