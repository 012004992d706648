"""Published models, read once: a version's document never changes."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

import msgspec

from leadpulse.domain.compiled import CompiledModel, Models, compile_model
from leadpulse.domain.errors import NotFound
from leadpulse.domain.model import parse_model

if TYPE_CHECKING:
    from collections.abc import Iterable

    from leadpulse.postgres.connect import Connection

# Ten thousand projects have a few versions each; most of their documents are the same few
# presets, so the compiled models behind these entries are shared.
_ENTRIES_KEPT: Final = 100_000
_COMPILED_KEPT: Final = 1_000
_SETS_KEPT: Final = 20_000

_LOAD: Final = """
select m.project_id::text, m.version, m.document::text
from jsonb_to_recordset(%s::jsonb) w (p uuid, v int)
cross join lateral (
    select * from models m where m.project_id = w.p and m.version = w.v limit 1
) m
"""


_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

_IN_FORCE: Final = "select model_version, history_version from projects where id = %s"


class InForce(NamedTuple):
    """Which versions of a project count: the newest, and the newest for all history."""

    project_id: str
    newest: int
    history: int


class ModelCache:
    """Models of all projects, per process. Holds no connection and no lock."""

    def __init__(self) -> None:
        self._entries: OrderedDict[tuple[str, int], CompiledModel] = OrderedDict()
        self._compiled: OrderedDict[tuple[int, str], CompiledModel] = OrderedDict()
        self._sets: OrderedDict[InForce, Models] = OrderedDict()

    async def get(
        self,
        conn: Connection,
        project_id: str,
        newest: int,
        history: int,
        versions_needed: Iterable[int] | None = None,
    ) -> Models:
        """Return the versions of a project that a fold may meet.

        `versions_needed` narrows what is loaded (the newest and the one for all history are
        always there); without it every version from `history` to `newest` is.
        """
        wanted = InForce(project_id, newest, history)
        if versions_needed is None:
            return (await self.get_many(conn, [wanted]))[wanted]
        versions = {history, newest, *(v for v in versions_needed if history < v <= newest)}
        await self._load(conn, [(project_id, version) for version in versions])
        return Models({v: self._entries[project_id, v] for v in versions}, history, newest)

    async def get_many(self, conn: Connection, wanted: Iterable[InForce]) -> dict[InForce, Models]:
        """Return the models of many projects, with one statement at most."""
        found: dict[InForce, Models] = {}
        missing: list[InForce] = []
        for key in wanted:
            models = self._sets.get(key)
            if models is None:
                missing.append(key)
            else:
                self._sets.move_to_end(key)
                found[key] = models
        if missing:
            await self._load(conn, [(k.project_id, v) for k in missing for v in _versions(k)])
            for key in missing:
                versions = {v: self._entries[key.project_id, v] for v in _versions(key)}
                found[key] = self._sets[key] = Models(versions, key.history, key.newest)
            _trim(self._sets, _SETS_KEPT)
            _trim(self._entries, _ENTRIES_KEPT)
        return found

    async def _load(self, conn: Connection, wanted: Iterable[tuple[str, int]]) -> None:
        missing = [{"p": p, "v": v} for p, v in wanted if (p, v) not in self._entries]
        if not missing:
            return
        cursor = await conn.execute(_LOAD, (msgspec.json.encode(missing).decode(),))
        for project_id, version, document in await cursor.fetchall():
            self._entries[project_id, version] = self._compile(version, document)

    def _compile(self, version: int, document: str) -> CompiledModel:
        known = self._compiled.get((version, document))
        if known is None:
            known = compile_model(parse_model(msgspec.json.decode(document), version))
            self._compiled[version, document] = known
            _trim(self._compiled, _COMPILED_KEPT)
        else:
            self._compiled.move_to_end((version, document))
        return known


async def load_models(conn: Connection, project_id: str) -> Models:
    """Return every version of a project that counts, past any cache; raises NotFound."""
    cursor = await conn.execute(_IN_FORCE, (project_id,))
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("project", project_id)
    return await ModelCache().get(conn, project_id, row[0], row[1])


def _versions(key: InForce) -> range:
    return range(key.history, key.newest + 1)


def _trim(entries: OrderedDict[_Key, _Value], most: int) -> None:
    while len(entries) > most:
        entries.popitem(last=False)
