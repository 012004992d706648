"""What everything is measured against, on the same machine in the same run."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator

import msgspec

from benchmarks.installation import Installation, free_port
from benchmarks.load import events

COPY_ROWS = 200_000


async def copy_rows_per_second(server: Installation) -> float:
    """One COPY of 200,000 rows as an event is stored, with jsonb, into a bare table, durable."""
    encode = msgspec.json.encode
    project, lead = str(uuid.uuid4()), str(uuid.uuid4())
    rows = [
        f"{project}\t{event['eventId']}\t{lead}\t{event['event']}\t"
        f"2026-01-01T00:00:00.{number:06}Z\t2026-01-01T00:00:01.{number:06}Z\t"
        f"{event['sessionId']}\t{encode(event['properties']).decode()}\n".encode()
        for number, event in enumerate(events(COPY_ROWS, 20_000, seed=99))
    ]
    data = b"".join(rows)
    await server.database.execute("drop table if exists bench_copy")
    await server.database.execute(
        "create table bench_copy (project_id uuid, event_id text, lead_id uuid, event_type text,"
        " ts timestamptz, received_at timestamptz, session_id text, properties jsonb)"
    )
    began = time.perf_counter()
    async with (
        server.database.cursor() as cursor,
        cursor.copy("copy bench_copy from stdin") as copy,
    ):
        await copy.write(data)
    seconds = time.perf_counter() - began
    await server.database.execute("drop table bench_copy")
    return COPY_ROWS / seconds


EMPTY = """
async def app(scope, receive, send):
    if scope["type"] == "http":
        await receive()
        await send({"type": "http.response.start", "status": 202, "headers": [
            (b"content-type", b"application/json"), (b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"{}"})
"""


@contextlib.contextmanager
def empty_handler() -> Iterator[str]:
    """A bare ASGI function on the same kind of server; yields its address."""
    port = free_port()
    run = (
        f"{EMPTY}\nimport uvicorn\nuvicorn.run(app, host='127.0.0.1', port={port}, "
        "loop='uvloop', http='httptools', log_level='critical', access_log=False, "
        "lifespan='off')"
    )
    process = subprocess.Popen([sys.executable, "-c", run])
    try:
        url = f"http://127.0.0.1:{port}"
        end = time.monotonic() + 20
        while time.monotonic() < end:
            with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1):
                break
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(10)


async def settle(seconds: float = 2.0) -> None:
    """Lets checkpoints and vacuum of what was before calm down."""
    await asyncio.sleep(seconds)
