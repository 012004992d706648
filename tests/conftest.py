"""Fixtures of the whole suite: a real PostgreSQL, and a fresh database per test.

A test that asks for `database` runs on the newest PostgreSQL; marked
`both_postgres` it runs on the oldest supported one too.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from leadpulse.postgres.connect import Connection, connect
from leadpulse.postgres.location import SHARED_ROOT
from support import twins
from support.legs import NOT_RUN, MissingLegError, leave_out
from support.postgres import NEWEST, OLDEST, Cluster

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

_ORDER = ("unit", "properties", "integration", "browser", "acceptance")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[NOT_RUN] = {}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "cluster" not in metafunc.fixturenames:
        return
    marked = metafunc.definition.get_closest_marker("both_postgres") is not None
    versions = [NEWEST, OLDEST] if marked else [NEWEST]
    metafunc.parametrize(
        "cluster", versions, indirect=True, scope="session", ids=lambda v: f"pg{v}"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The quick tests first, so that a fault shows early.

    Several processes may share them; but what the tests make the store say is looked at when it
    is all there, so that those who talk to it stay in one process.
    """
    items.sort(key=lambda item: next((n for n, f in enumerate(_ORDER) if f in item.path.parts), 0))
    for item in items:
        if "integration" in item.path.parts or item.path.name == "test_every_statement.py":
            item.add_marker(pytest.mark.xdist_group("store"))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for leg, reason in config.stash[NOT_RUN].items():
        terminalreporter.write_line(f"not run: {leg}: {reason}", yellow=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Remove clusters that moved away from pytest's closed folders, as root's do."""
    factory: pytest.TempPathFactory | None = getattr(session.config, "_tmp_path_factory", None)
    if factory is None:
        return
    for pointer in factory.getbasetemp().rglob("postgres.location"):
        home = Path(pointer.read_text(encoding="utf-8").strip())
        if home.parent == SHARED_ROOT:
            shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def clusters() -> Iterator[dict[str, Cluster]]:
    """Servers by version, each started when the first test asks for it."""
    started: dict[str, Cluster] = {}
    yield started
    for cluster in started.values():
        cluster.close()


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest, clusters: dict[str, Cluster]) -> Cluster:
    """A running server with a migrated template."""
    version: str = request.param
    if version not in clusters:
        try:
            fresh = Cluster(version)
        except MissingLegError as missing:
            leave_out(request.config, f"PostgreSQL {version}", str(missing))
        clusters[version] = fresh
        fresh.start()
    return clusters[version]


@pytest.fixture(scope="session", autouse=True)
def _recorded() -> Iterator[None]:
    """What the store says is tried behind the walls when a test is over."""
    end = twins.record()
    yield
    end()


@pytest.fixture
def database(cluster: Cluster) -> Iterator[str]:
    """The address of a fresh, migrated database with real commits."""
    name = cluster.create()
    yield cluster.dsn(name)
    leaks = twins.try_all(cluster.dsn(name))
    cluster.drop(name)
    assert not leaks, "without their project conditions these met another project:\n" + "\n".join(
        leaks
    )


@pytest.fixture
def empty_database(cluster: Cluster) -> Iterator[str]:
    """The address of a fresh database without any table."""
    name = cluster.create(template="template0")
    yield cluster.dsn(name)
    cluster.drop(name)


@pytest.fixture
async def pg(database: str) -> AsyncIterator[Connection]:
    """A connection to `database` in autocommit mode."""
    connection = await connect(database, "test")
    yield connection
    await connection.close()
