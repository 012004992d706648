from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from leadpulse.ids import uuid7
from leadpulse.postgres.connect import Connection, connect
from leadpulse.usecases.backup import BackupError, Manifest, back_up, read_manifest, restore
from leadpulse.usecases.projects import create_project
from support.postgres import NEWEST, Cluster


def nothing(_: int) -> None:
    return


async def fill(conn: Connection, leads: int = 50) -> str:
    """A project with leads, identifiers and nasty text, written straight into the tables."""
    project = (await create_project(conn, 'Søren\'s \\ "test" 项目')).id
    for number in range(leads):
        lead = uuid7()
        await conn.execute(
            """
            insert into leads (project_id, id, score, as_of, epoch, created_at, updated_at)
            values (%s, %s, %s, clock_timestamp(), 1, clock_timestamp(), clock_timestamp())
            """,
            [project, lead, number / 7],
        )
        await conn.execute(
            "insert into identifiers (project_id, kind, value, lead_id) values (%s, 3, %s, %s)",
            [project, f"anon\\{number}\t€", lead],
        )
    return project


async def saved(dsn: str, target: Path) -> Manifest:
    return await back_up(dsn, target, "test", nothing)


@pytest.mark.both_postgres
async def test_backup_comes_back_row_by_row(
    cluster: Cluster, database: str, empty_database: str, pg: Connection, tmp_path: Path
) -> None:
    """What was saved is restored into an empty database, on the newest and oldest server."""
    project = await fill(pg)
    made = await saved(database, tmp_path / "all.backup")
    assert made.rows["leads"] == 50
    manifest = read_manifest(tmp_path / "all.backup")
    assert manifest == made
    assert (tmp_path / "all.backup").stat().st_mode & 0o077 == 0
    await restore(empty_database, tmp_path / "all.backup", manifest, nothing)
    copy = await connect(empty_database, "test")
    try:
        query = "select id, name, digest_key from projects"
        was = await (await pg.execute(query)).fetchall()
        now = await (await copy.execute(query)).fetchall()
        assert was == now
        assert was[0][0] == project
    finally:
        await copy.close()


@pytest.mark.both_postgres
async def test_backup_of_the_newest_fits_the_oldest(
    cluster: Cluster, clusters: dict[str, Cluster], empty_database: str, tmp_path: Path
) -> None:
    """A backup moves from the embedded server to any supported one."""
    newest = clusters.get(NEWEST)
    if newest is None:
        pytest.skip("no newest server is running")
    name = newest.create()
    source = await connect(newest.dsn(name), "test")
    try:
        await fill(source, 3)
        await saved(newest.dsn(name), tmp_path / "b")
        await restore(empty_database, tmp_path / "b", read_manifest(tmp_path / "b"), nothing)
    finally:
        await source.close()
        newest.drop(name)


async def test_backup_is_of_one_instant(database: str, pg: Connection, tmp_path: Path) -> None:
    """Rows that arrive while a backup is made are not in it, and don't disturb it."""
    await fill(pg, 5)

    async def keep_writing() -> None:
        while True:
            await fill(pg, 1)

    writing = asyncio.create_task(keep_writing())
    try:
        made = await saved(database, tmp_path / "b")
    finally:
        writing.cancel()
    assert read_manifest(tmp_path / "b") == made


async def test_restore_never_overwrites(database: str, pg: Connection, tmp_path: Path) -> None:
    """A database that holds tables is refused, with what to do instead."""
    await fill(pg, 1)
    made = await saved(database, tmp_path / "b")
    with pytest.raises(BackupError, match=r"not empty.*--data-dir"):
        await restore(database, tmp_path / "b", made, nothing)


async def test_damage_is_noticed_before_anything_is_restored(
    database: str, pg: Connection, tmp_path: Path
) -> None:
    """A cut file and one with a flipped bit are refused by their own checksums."""
    await fill(pg, 1)
    await saved(database, tmp_path / "b")
    whole = (tmp_path / "b").read_bytes()
    (tmp_path / "cut").write_bytes(whole[: len(whole) // 2])
    flipped = bytearray(whole)
    flipped[len(whole) // 3] ^= 1
    (tmp_path / "flipped").write_bytes(flipped)
    (tmp_path / "other").write_text("not a backup at all")
    for name in ("cut", "flipped", "other"):
        with pytest.raises(BackupError, match=r"damaged|not a complete backup"):
            read_manifest(tmp_path / name)


async def test_restored_rows_are_compared(
    empty_database: str, database: str, pg: Connection, tmp_path: Path
) -> None:
    """A restore that doesn't hold what the manifest says is told."""
    await fill(pg, 2)
    made = await saved(database, tmp_path / "b")
    wrong = Manifest(
        made.schema, made.server, made.taken_at, made.product,
        {**made.rows, "leads": 3}, made.hashes,
    )  # fmt: skip
    with pytest.raises(BackupError, match="leads: 3 rows in the backup, 2 restored"):
        await restore(empty_database, tmp_path / "b", wrong, nothing)


async def test_nothing_to_back_up(empty_database: str, tmp_path: Path) -> None:
    """A database without our tables gives a sentence and no file."""
    with pytest.raises(BackupError, match="holds no LeadPulse"):
        await saved(empty_database, tmp_path / "b")
    assert not any(os.scandir(tmp_path))
