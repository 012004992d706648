"""Events that can't be scored, scorers that die, and databases that go away."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

import builders
from builders import HOUR, NOON, Event
from leadpulse.domain.errors import Conflict, NotFound
from leadpulse.domain.fold import Folded, fold
from leadpulse.postgres.connect import connect, pool
from leadpulse.processes import Supervisor
from leadpulse.settings import load_settings
from leadpulse.usecases import batch, repair
from leadpulse.usecases.fairness import Rotation
from leadpulse.usecases.score import Desk, NearlyEverythingFails, score_pass
from leadpulse.worker.main import crew
from leadpulse.worker.watchdog import watch
from support import rough_worker
from support.scoring import assert_equals_plain_fold, drain, eventually, ledger, one, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from leadpulse.postgres.connect import Connection


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Types of events at which the fold raises, as a fault of ours would."""
    types: set[str] = set()

    def rough(state: Any, facts: Any, models: Any, progress: Any = None) -> Folded:
        def watch_out(fact: Any) -> None:
            if progress is not None:
                progress(fact)
            if fact.type in types:
                raise RuntimeError(f"cannot fold {fact.type}")

        return fold(state, facts, models, watch_out)

    monkeypatch.setattr(batch, "fold", rough)
    return types


async def no_waiting(conn: Connection) -> None:
    await conn.execute("update scoring_failures set retry_at = now() - interval '1 second'")


async def fail_for_good(conn: Connection, desk: Desk) -> None:
    for _ in range(6):
        await no_waiting(conn)
        await drain(conn, desk=desk)


async def test_a_lead_that_fails_waits_longer_each_time_and_stops_nobody(
    pg: Connection, poison: set[str]
) -> None:
    """Others are scored in the very pass; the failing one is tried after 3, 6, 12, 24, 48 s."""
    poison.add("bad")
    project = await builders.add_project(pg)
    good, bad = await builders.add_leads(pg, project, 2)
    await builders.add_events(
        pg,
        project,
        [
            (good, Event("signup", NOON, "a")),
            (bad, Event("signup", NOON, "b")),
            (bad, Event("bad", NOON + HOUR, "c")),
        ],
    )
    desk, waits = Desk(pg), []
    for _ in range(5):
        await drain(pg, desk=desk)
        waits.append(
            await one(
                pg, "select extract(epoch from retry_at - last_failed_at)::float8"
                " from scoring_failures"
            )
        )  # fmt: skip
        await no_waiting(pg)
    for wait, least in zip(waits, (3, 6, 12, 24, 48), strict=True):
        assert least * 0.99 < wait < least * 1.11
    await assert_equals_plain_fold(pg, project, good)
    assert await one(pg, "select count(*) from inbox") == 2
    assert await ledger(pg, bad) == []


async def test_failed_work_becomes_a_dead_letter_that_names_the_event(
    pg: Connection, poison: set[str]
) -> None:
    """After six tries the work is kept as a dead letter; a later success settles it."""
    poison.add("bad")
    project = await builders.add_project(pg)
    lead = await builders.add_lead(pg, project)
    _, culprit = await builders.add_events(
        pg,
        project,
        [(lead, Event("signup", NOON, "a")), (lead, Event("bad", NOON + HOUR, "b"))],
    )
    desk = Desk(pg)
    await fail_for_good(pg, desk)
    assert await one(
        pg, "select lead_id::text, event::text, attempts, state from dead_letters"
    ) == (lead, culprit, 6, "open")
    assert await one(pg, "select stale from leads")
    assert await one(pg, "select count(*) from inbox") == 0
    # The fault is mended: the next event brings everything that is stored.
    poison.clear()
    await builders.add_events(pg, project, [(lead, Event("signup", NOON + 2 * HOUR, "c"))])
    await no_waiting(pg)
    await drain(pg, desk=desk)
    await assert_equals_plain_fold(pg, project, lead)
    assert await one(pg, "select entries from leads") == 3
    assert await one(pg, "select state from dead_letters") == "replayed"
    assert await one(pg, "select count(*) from scoring_failures") == 0


async def test_a_person_can_replay_or_discard_a_dead_letter(
    pg: Connection, database: str, poison: set[str]
) -> None:
    """Replay folds everything; discard keeps the event at fault out, until it is restored."""
    poison.add("bad")
    project = await builders.add_project(pg)
    first, second = await builders.add_leads(pg, project, 2)
    culprits = []
    for lead in (first, second):
        ids = await builders.add_events(
            pg,
            project,
            [(lead, Event("signup", NOON, f"{lead}-a")), (lead, Event("bad", NOON + HOUR, lead))],
        )
        culprits.append(ids[1])
    desk = Desk(pg)
    await fail_for_good(pg, desk)
    letters = {
        lead: await one(pg, "select id::text from dead_letters where lead_id = %s", lead)
        for lead in (first, second)
    }
    async with pool(database, "test") as some:
        await repair.discard_dead_letter(some, project, letters[second])
        await drain(pg, desk=desk)
        await assert_equals_plain_fold(pg, project, second)
        assert await one(pg, "select entries from leads where id = %s", second) == 1
        with pytest.raises(Conflict):
            await repair.discard_dead_letter(some, project, letters[second])
        with pytest.raises(NotFound):
            await repair.retry_dead_letter(some, project, project)
        poison.clear()
        await repair.retry_dead_letter(some, project, letters[first])
        assert await repair.restore_event(some, project, culprits[1]) == second
        await drain(pg, desk=desk)
    for lead in (first, second):
        await assert_equals_plain_fold(pg, project, lead)
        assert await one(pg, "select entries from leads where id = %s", lead) == 2
    cursor = await pg.execute("select state from dead_letters order by state")
    assert await cursor.fetchall() == [("discarded",), ("replayed",)]


async def test_an_error_of_the_database_is_traced_to_its_lead(pg: Connection) -> None:
    """A transaction that can't be written is halved until one lead is left."""
    project = await builders.add_project(pg)
    leads = await builders.add_leads(pg, project, 9)
    await pg.execute("alter table ledger add constraint test check (points <> 30)")
    await builders.add_events(
        pg,
        project,
        [
            (lead, Event("demo_request" if lead == leads[4] else "signup", NOON, lead))
            for lead in leads
        ],
    )
    await drain(pg)
    assert await one(pg, "select count(*) from ledger") == 8
    assert await one(pg, "select lead_id::text, attempts from scoring_failures") == (leads[4], 1)
    assert await one(pg, "select count(*) from inbox") == 1


async def test_when_nearly_everything_fails_the_scorer_stops_instead(
    pg: Connection, poison: set[str]
) -> None:
    """A fault of the installation is not held against leads, and it ends by itself."""
    poison.add("page_view")
    project = await builders.add_project(pg)
    leads = await builders.add_leads(pg, project, 30)
    await builders.add_events(
        pg, project, [(lead, Event("page_view", NOON, lead)) for lead in leads]
    )
    desk = Desk(pg)
    for _ in range(10):
        with pytest.raises(NearlyEverythingFails):
            await score_pass(desk, Rotation(), 1000)
    assert await one(pg, "select count(*) from scoring_failures") == 0
    assert await one(pg, "select count(*) from inbox") == 30
    poison.clear()
    await drain(pg, desk=desk)
    assert await one(pg, "select count(*) from ledger") == 30


async def test_held_events_of_a_lead_can_be_released(pg: Connection, database: str) -> None:
    """Events beyond a ceiling count once somebody says so."""
    project = await builders.add_project(pg)
    lead = await builders.add_lead(pg, project)
    await builders.add_events(
        pg,
        project,
        [(lead, Event("signup", NOON + i, f"q{i}", trusted=False)) for i in range(3)],
        waiting=False,
    )
    await pg.execute("update events set quarantined = true")
    await drain(pg)
    assert await ledger(pg, lead) == []
    async with pool(database, "test") as some:
        assert await repair.release_lead(some, project, lead) == 3
        await drain(pg)
        await assert_equals_plain_fold(pg, project, lead)
        assert await one(pg, "select entries from leads") == 3
        with pytest.raises(NotFound):
            await repair.release_lead(some, project, project)


# ── Processes ────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def workers(database: str, count: int, **environment: str) -> AsyncIterator[Supervisor]:
    """Real scorer processes whose fold does what the type of an event says."""
    settings = load_settings(database_url=database, workers=count, log_level="error")
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(["src", "tests"]), **environment}
    async with (
        crew(settings, database, environment=variables, entry=rough_worker.ENTRY) as found,
        Supervisor(found.programs, on_death=found.on_death) as supervisor,
    ):
        yield supervisor


@pytest.mark.parametrize("kind", ["dies", "eats"])
async def test_an_event_that_kills_its_process_stops_nobody_else(
    pg: Connection, database: str, kind: str
) -> None:
    """Other leads of its batch are scored; it becomes a dead letter that names the event."""
    project = await builders.add_project(pg)
    leads = await builders.add_leads(pg, project, 60)
    bad = leads[30]
    ids = await builders.add_events(
        pg,
        project,
        [
            *((lead, Event("signup", NOON, f"{lead}-a")) for lead in leads),
            (bad, Event(kind, NOON + HOUR, "bad")),
            (bad, Event("signup", NOON + 2 * HOUR, "after")),
        ],
    )
    async with workers(database, 2):
        await until(pg, "select count(*) = 59 from leads where score > 0 or entries = 1", within=30)
        await until(pg, "select count(*) = 1 from dead_letters", within=60)
        await until(pg, "select count(*) = 0 from inbox", within=10)
    assert await one(pg, "select lead_id::text, event::text, state from dead_letters") == (
        bad, ids[60], "open",
    )  # fmt: skip
    for lead in leads:
        if lead != bad:
            await assert_equals_plain_fold(pg, project, lead)


async def halted_scorer(mark: Path) -> int:
    """Its process id, as soon as it halted itself."""

    async def halted() -> str:
        return await asyncio.to_thread(mark.read_text) if mark.exists() else ""  # noqa: ASYNC240

    await eventually(halted, within=20)
    return int(await halted())


async def test_the_leads_of_a_stopped_scorer_go_on(
    pg: Connection, database: str, tmp_path: Path
) -> None:
    """A scorer halted inside its transaction loses its leads to others, and doubles nothing."""
    mark = tmp_path / "stopped"
    project = await builders.add_project(pg)
    leads = await builders.add_leads(pg, project, 20)
    async with workers(database, 2, STOPPED_MARK=str(mark)):
        await builders.add_events(
            pg, project, [(lead, Event("stops", NOON, f"{lead}-a")) for lead in leads]
        )
        halted = await halted_scorer(mark)
        # The built-in watchdog does the same after 20 s.
        watching = asyncio.create_task(watch(database, stuck_after=1.0, every=0.2))
        try:
            await until(pg, "select count(*) = 20 from ledger", within=30)
        finally:
            watching.cancel()
            os.kill(halted, signal.SIGCONT)
        await builders.add_events(
            pg, project, [(lead, Event("signup", NOON + HOUR, f"{lead}-b")) for lead in leads]
        )
        await until(pg, "select count(*) = 40 from ledger", within=30)
    for lead in leads:
        await assert_equals_plain_fold(pg, project, lead)
    assert await one(pg, "select count(*) from dead_letters") == 0


@pytest.mark.parametrize("long", [False, pytest.param(True, marks=pytest.mark.soak)])
async def test_the_leads_of_a_scorer_that_reads_no_answer_go_on(
    pg: Connection, database: str, tmp_path: Path, *, long: bool
) -> None:
    """Its database process waits to be rid of an answer, is ended, and nothing is doubled.

    The long form waits for the product's own watchdog, which must let them go on within 30 s.
    """
    mark = tmp_path / "stopped"
    project = await builders.add_project(pg)
    leads = await builders.add_leads(pg, project, 2_000)
    # Ids so long that an answer doesn't fit into what the system keeps between the two.
    await builders.add_events(
        pg, project, [(lead, Event("signup", NOON, lead.ljust(255, "-"))) for lead in leads]
    )
    stuck = (
        "select count(*) = 1 from pg_stat_activity where wait_event = 'ClientWrite'"
        " and application_name = 'leadpulse-scorer' and datname = current_database()"
    )
    async with workers(database, 2, STOPPED_MARK=str(mark), UNREAD="1"):
        halted = await halted_scorer(mark)
        await until(pg, stuck, within=10)
        watching = None if long else asyncio.create_task(watch(database, 1.0, every=0.2))
        try:
            await until(pg, "select count(*) = 2000 from ledger", within=30)
        finally:
            if watching is not None:
                watching.cancel()
            os.kill(halted, signal.SIGCONT)
        await builders.add_events(
            pg, project, [(lead, Event("signup", NOON + HOUR, f"{lead}-b")) for lead in leads]
        )
        await until(pg, "select count(*) = 4000 from ledger", within=30)
    for lead in leads[::101]:
        await assert_equals_plain_fold(pg, project, lead)
    assert await one(pg, "select count(distinct event) from ledger") == 4000
    assert await one(pg, "select count(*) from dead_letters") == 0


async def test_a_scorer_outlives_the_loss_of_its_connection(pg: Connection, database: str) -> None:
    """Backends that are ended are connected to again, and work goes on."""
    project = await builders.add_project(pg)
    lead = await builders.add_lead(pg, project)
    async with workers(database, 1):
        for round_ in range(3):
            await builders.add_events(
                pg, project, [(lead, Event("signup", NOON + round_, f"{round_}"))]
            )
            await until(pg, f"select count(*) = {round_ + 1} from ledger", within=60)
            await pg.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name like 'leadpulse-%' and pid <> pg_backend_pid()"
                " and datname = current_database()"
            )
    await assert_equals_plain_fold(pg, project, lead)


async def test_the_workers_page_tells_its_health(database: str) -> None:
    """One page for all scorers: 200 while they live, with figures for Prometheus."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)  # noqa: FBT003
        settings = load_settings(database_url=database, workers=1, log_level="error")
        async with (
            crew(settings, database, listening) as found,
            Supervisor(found.programs, on_death=found.on_death),
        ):
            port = listening.getsockname()[1]

            async def get(path: str) -> str:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                answer = await reader.read()
                writer.close()
                return answer.decode()

            async def healthy() -> bool:
                return " 200 OK" in await get("/health")

            await eventually(healthy, within=20)
            answer = await get("/health")
            assert '"alive": 1' in answer
            assert "leadpulse_queue_waiting 0.0" in await get("/metrics")
            assert " 404 " in await get("/")
    conn = await connect(database, "test")
    await conn.close()
