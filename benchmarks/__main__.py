"""`make bench`: the table of what must be reached, with ratios taken in one run.

python -m benchmarks            all of it (about half an hour)
python -m benchmarks --quick    a tenth of the sizes
python -m benchmarks --long     also 1 to 10 million stored events
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import platform
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import anchors, folding, live, pages, scale, single
from benchmarks.installation import Installation, installation
from benchmarks.load import bodies, first_visits
from benchmarks.pipeline import flow

RESULTS = Path(__file__).with_name("RESULTS.md")


@dataclass
class Table:
    """Lines of the result, printed as they come."""

    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, what: str, measured: str, must: str, aim: str) -> None:
        line = f"| {what} | {measured} | {must} | {aim} |"
        self.lines.append(line)
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def note(self, text: str) -> None:
        self.notes.append(text)
        sys.stdout.write(f"  {text}\n")
        sys.stdout.flush()


def machine() -> str:
    """The machine and the commit."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [x for x in cpuinfo.read_text().splitlines() if x.startswith("model name")]
        model = names[0].split(":")[1].strip() if names else model
    return (
        f"{os.cpu_count()} × {model}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, commit {commit}"
    )


async def measure_flow(table: Table, server: Installation, count: int) -> None:
    """One million events of 20,000 leads."""
    leads = 20_000
    await flow(server, first_visits(leads))
    copy = await anchors.copy_rows_per_second(server)
    made = await flow(server, bodies(count, leads))
    copy = (copy + await anchors.copy_rows_per_second(server)) / 2
    table.add(
        f"event in → scored, {count:,} events, {leads:,} leads, batches of 500",
        f"{made.rate:,.0f}/s = 1/{copy / made.rate:.1f} of COPY ({copy:,.0f}/s)", "1/18", "1/9",
    )  # fmt: skip
    parts = ", ".join(f"{k} {v / made.events * 1e6:.1f}" for k, v in made.cpu.items())
    table.note(f"CPU µs per event: {parts}; accepted at {made.events / made.accept_seconds:,.0f}/s")
    memory = server.memory_mb()
    own = memory["api"] + memory["scorer"]
    table.add("memory of API + scorers after it", f"{own:.0f} MB", "< 300 MB", "< 200 MB")


async def measure_growth_of_leads(table: Table, server: Installation, leads: int) -> None:
    """Events of very many leads against events of 20,000, in one database, turn and turn about."""
    few_key = str(server.command("projects", "create", "Few leads")["secretKey"])
    few = 20_000
    await flow(server, first_visits(few), few_key)
    await server.database.execute("vacuum analyze")
    portion, of_few, of_many = leads // 15, [], []
    for turn in range(5):
        of_few.append((await flow(server, bodies(portion, few, seed=30 + turn), few_key)).cost)
        of_many.append((await flow(server, bodies(portion, leads, seed=40 + turn))).cost)
    before, after = statistics.median(of_few), statistics.median(of_many)
    table.add(
        f"cost per event: 20,000 → {leads:,} leads, {leads:,} events stored",
        f"× {after / before:.2f} ({before:.0f} → {after:.0f} CPU µs)", "× 1.5", "× 1.25",
    )  # fmt: skip


async def measure_single(table: Table, server: Installation, seconds: int) -> None:
    """One event per request, and its latency at half of the top rate."""
    if not single.available():
        table.note(f"one event per request: not run, {single.MISSING}")
        return
    # Turn and turn about, for the machine's speed changes from minute to minute.
    empties, tops = [], []
    for turn in range(3):
        with anchors.empty_handler() as url:
            shots = single.Shots(url, server.write_key, "empty")
            empties.append(await asyncio.to_thread(single.shoot, shots, seconds // 3))
        shots = single.Shots(server.url, server.write_key, f"top-{os.getpid()}-{turn}")
        tops.append(await asyncio.to_thread(single.shoot, shots, seconds // 3))
        await server.drained()
    ratio = statistics.median(e.rate / t.rate for e, t in zip(empties, tops, strict=True))
    empty, top = (statistics.median(run.rate for run in runs) for runs in (empties, tops))
    # Half of it is reached when pauses leave out what the answers take.
    between = single.CONNECTIONS / (top / 2) * 1000
    trial = single.Shots(server.url, server.write_key, f"try-{os.getpid()}", pause=round(between))
    took = single.CONNECTIONS / (await asyncio.to_thread(single.shoot, trial, 3)).rate * 1000
    pause = max(1, round(2 * between - took))
    shots = single.Shots(server.url, server.write_key, f"half-{os.getpid()}", pause=pause)
    half = await asyncio.to_thread(single.shoot, shots, seconds)
    await server.drained()
    table.add(
        "one event per request, 32 connections, durable 202, scorers running",
        f"{top:,.0f}/s = 1/{ratio:.1f} of the empty handler ({empty:,.0f}/s), "
        f"{sum(run.errors for run in tops)} errors",
        "1/6", "1/4",
    )  # fmt: skip
    table.add(
        "p99 of that, at half of its top rate",
        f"{half.p99:.1f} ms (p50 {half.p50:.1f}) at {half.rate:,.0f}/s", "< 25 ms", "< 8 ms",
    )  # fmt: skip


async def measure_pages(table: Table, server: Installation, leads: int, rounds: int) -> None:
    """The page of leads with very many leads and the intake running."""
    key = scale.admin_key(server)
    await scale.name_some(server)
    found = await pages.measure(server, key, rounds)
    worst = max(found.lists, key=lambda page: page.p99)
    table.add(
        f"GET /api/leads, {leads:,} leads, {len(found.lists)} filters and sorts, intake running",
        f"worst p99 {worst.p99:.1f} ms ({worst.address})", "< 100 ms", "< 20 ms",
    )  # fmt: skip
    worst = max(found.reads, key=lambda page: page.p99)
    table.add(
        f"a lead, its ledger and timeline, events, figures: {len(found.reads)} reads beside it",
        f"worst p99 {worst.p99:.1f} ms ({worst.address})", "< 500 ms", "< 100 ms",
    )  # fmt: skip
    for page in (*found.lists, *found.reads):
        table.note(f"{page.address}: p50 {page.p50:.1f} ms, p99 {page.p99:.1f} ms")


async def measure_live(table: Table, seconds: int) -> None:
    """From an accepted event to the page, in one family of processes and in several."""
    for kind, in_one in (("one family", True), ("two APIs, two workers, Valkey", False)):
        with contextlib.ExitStack() as stack:
            settings = dict(live.SETTINGS)
            if not in_one:
                settings["REDIS_URL"] = stack.enter_context(live.a_valkey())
            async with installation(**settings) as server:
                if in_one:
                    async with live.open_pages([server.url]) as open_:
                        told = await live.measure([server.url], open_, seconds)
                        flood = await live.measure([server.url], open_[:1], seconds)
                    table.note(
                        f"live, all in one project: {flood.single:,} of {flood.events:,} singly "
                        f"(p99 {flood.p99:.1f} ms), the rest by {flood.floods} counts"
                    )
                else:
                    async with (
                        live.beside(server) as second,
                        live.open_pages(urls := [server.url, second]) as open_,
                    ):
                        told = await live.measure(urls, open_, seconds)
        table.add(
            f"event accepted → leadUpdated at a socket, {live.RATE}/s, "
            f"{live.PROJECTS} projects with a page each, {kind}",
            f"p99 {told.p99:.1f} ms (p50 {told.p50:.1f}), "
            f"{told.single:,} of {told.events:,} told singly",
            "< 150 ms", "< 50 ms",
        )  # fmt: skip


async def run(options: argparse.Namespace) -> None:
    """All of it, in the order in which a fault shows early."""
    small = 10 if options.quick else 1
    table = Table()
    sys.stdout.write(f"{machine()}\n| what | measured | must reach | aim |\n|---|---|---|---|\n")
    table.add(
        "fold alone, entries made, caps and decay on",
        f"{folding.events_per_second():,.0f} events/s per core", "300,000", "1,000,000",
    )  # fmt: skip
    await measure_live(table, 30 if small == 1 else 12)
    async with installation() as server:
        await flow(server, first_visits(20_000))
        await measure_single(table, server, 30 if small == 1 else 12)
    async with installation() as server:
        await measure_flow(table, server, 1_000_000 // small)
    async with installation() as server:
        leads = 1_000_000 // small
        await flow(server, first_visits(leads))
        await measure_growth_of_leads(table, server, leads)
        await measure_pages(table, server, leads, 60 if small == 1 else 20)
    async with installation() as server:
        ratio = await scale.many_projects(server, 10_000 // small, 200_000 // small)
        table.add(
            f"cost per event: {10_000 // small:,} projects, one of them half the load",
            f"× {ratio:.2f}", "× 1.5", "× 1.25",
        )  # fmt: skip
    if options.long:
        async with installation() as server:
            growth = await scale.growth(server, table.note)
            table.add(
                "cost per event, 1 → 10 million events stored", f"× {growth:.2f}", "× 1.25", "flat"
            )
    write(table, options)


def write(table: Table, options: argparse.Namespace) -> None:
    """The table, with the machine, the commit and the command."""
    flags = "".join(f" --{name}" for name in ("quick", "long") if getattr(options, name))
    RESULTS.write_text(
        "\n".join(
            [
                "# Measured",
                "",
                f"`python -m benchmarks{flags}` on {machine()}",
                "",
                "Ratios are taken in one run: COPY is one COPY of 200,000 such rows with jsonb",
                "into a bare table, the empty handler a bare ASGI function of the same server. All",
                "processes, PostgreSQL and the load generator share the machine; commits are",
                "durable.",
                "",
                "| what | measured | must reach | aim |",
                "|---|---|---|---|",
                *table.lines,
                "",
                *(f"- {note}" for note in table.notes),
                "",
            ]
        )
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the sizes")
    parser.add_argument("--long", action="store_true", help="also 1 to 10 million stored events")
    asyncio.run(run(parser.parse_args()))
