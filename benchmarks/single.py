"""One event per request over 32 connections, by wrk, against the empty handler."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

CONNECTIONS = 32
MISSING = "needs wrk (Debian: apt-get install wrk)"

# Each thread of wrk counts on its own, so the ids carry the thread.
SCRIPT = """
local threads = 0
function setup(thread) thread:set("number", threads); threads = threads + 1 end
local count, run = 0, "%(run)s"
%(delay)s
function request()
  count = count + 1
  local id = string.format("%%s-%%d-%%08d-0000-000000000000", run, number, count)
  local body = string.format('{"event":"page_view","eventId":"%%s","anonymousId":"browser-%%d",'
    .. '"sessionId":"s-%%d","properties":{"path":"/pricing","title":"What people look at",'
    .. '"referrer":"https://www.example.com/search","width":1280}}',
    id, math.random(0, %(leads)d - 1), count)
  return wrk.format("POST", "/api/ingest/event", {["X-API-Key"] = "%(key)s",
    ["Content-Type"] = "application/json"}, body)
end
function done(summary, latency)
  io.write(string.format("RESULT %%d %%d %%d %%f %%f\\n", summary.requests, summary.duration,
    summary.errors.status + summary.errors.connect + summary.errors.read
    + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""

# As many visitors come who know nothing of each other: with the same pause for all, the
# connections soon ask in step, and each waits for all others.
DELAY = "function delay() return math.floor(0.5 - math.log(1 - math.random()) * %d) end"


class Run(NamedTuple):
    """Requests a second, errors, and latencies in ms."""

    rate: float
    errors: int
    p50: float
    p99: float


class Shots(NamedTuple):
    """Whom to send what: `run` makes ids new, `pause` (ms) is the mean within a connection."""

    url: str
    key: str
    run: str
    leads: int = 20_000
    pause: int = 0


def available() -> bool:
    """True if the load generator is there."""
    return shutil.which("wrk") is not None


def shoot(shots: Shots, seconds: int) -> Run:
    """Runs wrk for some seconds."""
    with tempfile.TemporaryDirectory() as directory:
        script = Path(directory) / "load.lua"
        text = SCRIPT % {
            "run": shots.run, "leads": shots.leads, "key": shots.key,
            "delay": DELAY % shots.pause if shots.pause else "",
        }  # fmt: skip
        script.write_text(text)
        done = subprocess.run(
            ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script), shots.url],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    match = re.search(r"RESULT (\d+) (\d+) (\d+) ([\d.]+) ([\d.]+)", done.stdout)
    if match is None:
        raise SystemExit(f"wrk said nothing to go by:\n{done.stdout}{done.stderr}")
    requests, micros, errors, p50, p99 = match.groups()
    return Run(
        int(requests) / (int(micros) / 1e6), int(errors), float(p50) / 1000, float(p99) / 1000
    )
