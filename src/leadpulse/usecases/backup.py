"""Backups: one file with a copy of everything and what it must hold; online, and checked.

The file is a zip archive (so that a changed or cut one is noticed) of PostgreSQL's own dump
and a manifest with the schema's revision, the rows of every table and hashes of some.
"""

from __future__ import annotations

import asyncio
import os
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from leadpulse.postgres import dumping, revisions, walls
from leadpulse.postgres.connect import connect
from leadpulse.postgres.dumping import Contents, DumpError, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from leadpulse.postgres.connect import Connection

_FORMAT: Final = 1
_DUMP: Final = "database.dump"
_MANIFEST: Final = "manifest.json"
_CHUNK: Final = 1 << 20
# Backups of this revision and newer ones name the roles of the walls.
_WALLS_SINCE: Final = "0004"


class BackupError(Exception):
    """A backup can't be made or restored; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What stands beside a dump: `taken_at` in µs, `schema` the revision, `server` the major."""

    schema: str
    server: int
    taken_at: int
    product: str
    rows: dict[str, int]
    hashes: dict[str, str]
    format: int = _FORMAT

    @property
    def contents(self) -> Contents:
        return Contents(self.rows, self.hashes)


async def back_up(
    dsn: str, target: Path, product: str, progress: Callable[[int], None]
) -> Manifest:
    """Copies the whole database into a new file that appears complete or not at all.

    Everything in it, and the manifest, is of one instant; work goes on meanwhile. Raises
    BackupError. `progress` is told the bytes written since.
    """
    part = target.with_name(f".{target.name}.part")
    connection = await connect(dsn, "backup", autocommit=False)
    try:
        reader = await _reader(connection)
        await connection.execute("set transaction isolation level repeatable read read only")
        cursor = await connection.execute("select clock_timestamp()")
        row = await cursor.fetchone()
        snapshot = await dumping.export_snapshot(connection)
        names = await dumping.tables(connection)
        if "projects" not in names:
            raise BackupError("This database holds no LeadPulse, so there is nothing to back up.")
        held = await dumping.contents(connection, names)
        manifest = Manifest(
            schema=revisions.applied(dsn) or "",
            server=await dumping.server_version(connection),
            taken_at=0 if row is None else row[0],
            product=product,
            rows=held.rows,
            hashes=held.hashes,
        )
        source = Source(dsn, snapshot, reader)
        await asyncio.to_thread(_write, part, source, manifest, progress)
        part.replace(target)
    except DumpError as error:
        raise BackupError(str(error)) from None
    finally:
        part.unlink(missing_ok=True)
        await connection.close()
    return manifest


async def _reader(connection: Connection) -> str | None:
    """In which role the copy is read; raises BackupError if it would lack rows.

    An owner who is no superuser sees nothing of his own tables, and his backup would be empty.
    """
    reader = await walls.reader(connection)
    unseen = [] if reader is None else await walls.unseen(connection)
    if unseen:
        raise BackupError(
            f"The backup would lack rows of {', '.join(unseen)}, because the role {reader} may "
            "not see all of them. Put its policies back, as in the schema of this version."
        )
    await connection.commit()
    return reader


def read_manifest(source: Path) -> Manifest:
    """Checks a backup file from its first byte to its last; raises BackupError if it is none."""
    try:
        with zipfile.ZipFile(source) as archive:
            damaged = archive.testzip()
            if damaged is not None:
                raise BackupError(f"{source} is damaged ({damaged}). Take another backup.")
            manifest = msgspec.json.decode(archive.read(_MANIFEST), type=Manifest)
    except (zipfile.BadZipFile, KeyError, msgspec.MsgspecError, EOFError):
        raise BackupError(f"{source} is not a complete backup of LeadPulse.") from None
    if manifest.format != _FORMAT or manifest.schema > revisions.newest():
        raise BackupError(
            f"{source} was written by a newer LeadPulse ({manifest.product}). Install that one."
        )
    return manifest


def dump_size(source: Path) -> int:
    """How many bytes `restore` will read of a checked file."""
    with zipfile.ZipFile(source) as archive:
        return archive.getinfo(_DUMP).file_size


async def restore(
    dsn: str, source: Path, manifest: Manifest, progress: Callable[[int], None]
) -> None:
    """Puts a backup into an empty database: all of it, compared with the manifest, or nothing.

    The schema is then the backup's: migrate afterwards. Raises BackupError.
    """
    connection = await connect(dsn, "restore")
    try:
        if await dumping.tables(connection):
            raise BackupError(
                "The database is not empty, and restoring never overwrites anything. Name a new "
                "directory with --data-dir, or an empty database in DATABASE_URL."
            )
        major = await dumping.server_version(connection)
        if manifest.schema >= _WALLS_SINCE:
            await asyncio.to_thread(walls.make_roles, dsn)
        await asyncio.to_thread(dumping.restore, dsn, major, _pieces(source, progress))
        async with connection.transaction(force_rollback=True):
            await walls.lift(connection)
            found = await dumping.contents(connection, manifest.rows)
        if manifest.schema == revisions.newest():
            # Of an older one they go up when it is migrated.
            await asyncio.to_thread(walls.build, dsn)
    except DumpError as error:
        raise BackupError(str(error)) from None
    finally:
        await connection.close()
    differences = manifest.contents.differences(found)
    if differences:
        raise BackupError("What was restored is not what was saved: " + "; ".join(differences))


def _write(part: Path, source: Source, manifest: Manifest, progress: Callable[[int], None]) -> None:
    # Only for its owner: it holds everything that is known about people.
    file = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "w+b") as output:
        with zipfile.ZipFile(output, "w", zipfile.ZIP_STORED) as archive:
            with archive.open(_DUMP, "w", force_zip64=True) as dump:

                def write(piece: bytes) -> None:
                    dump.write(piece)
                    progress(len(piece))

                dumping.dump(source, manifest.server, write)
            archive.writestr(_MANIFEST, msgspec.json.encode(manifest))
        output.flush()
        os.fsync(output.fileno())


def _pieces(source: Path, progress: Callable[[int], None]) -> Iterator[bytes]:
    with zipfile.ZipFile(source) as archive, archive.open(_DUMP) as dump:
        while piece := dump.read(_CHUNK):
            progress(len(piece))
            yield piece
