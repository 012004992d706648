"""A whole installation to measure: `leadpulse serve` in a directory of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from leadpulse.postgres.connect import Connection, connect
from leadpulse.postgres.embedded import running_dsn


def free_port() -> int:
    """A port that nothing listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Installation:
    """A running server, one project in it, and a connection to its database."""

    process: subprocess.Popen[bytes]
    url: str
    data: Path
    environment: dict[str, str]
    project: str
    write_key: str
    secret_key: str
    database: Connection

    def command(self, *words: str) -> Any:
        """Runs another command of the program beside it and reads its JSON."""
        return _command(self.data, self.environment, *words)

    async def waiting(self) -> int:
        """Rows in the inbox. Reads an estimate-free count, so don't poll it fast."""
        cursor = await self.database.execute("select count(*) from inbox")
        row = await cursor.fetchone()
        return int(row[0]) if row else 0

    async def drained(self) -> None:
        """Returns once nothing waits."""
        while True:
            cursor = await self.database.execute("select exists (select from inbox)")
            row = await cursor.fetchone()
            if row is not None and not row[0]:
                return
            await asyncio.sleep(0.05)

    def processes(self) -> dict[str, list[psutil.Process]]:
        """Its processes by what they are."""
        found: dict[str, list[psutil.Process]] = {"api": [], "scorer": [], "postgres": []}
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                line = " ".join(child.cmdline())
                if "postgres" in child.name():
                    found["postgres"].append(child)
                elif "leadpulse.worker" in line:
                    found["scorer"].append(child)
                else:
                    found["api"].append(child)
        return found

    def cpu_seconds(self) -> dict[str, float]:
        """User and system time so far, by what the processes are."""
        return {
            kind: sum(sum(p.cpu_times()[:2]) for p in found)
            for kind, found in self.processes().items()
        }

    def memory_mb(self) -> dict[str, float]:
        """Resident memory by what the processes are; PostgreSQL's shared pages count often."""
        return {
            kind: sum(p.memory_info().rss for p in found) / 1e6
            for kind, found in self.processes().items()
        }


def _command(data: Path, environment: dict[str, str], *words: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "leadpulse", *words, "--data-dir", str(data), "--json"],
        env=environment, capture_output=True, check=True, text=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def wait_healthy(process: subprocess.Popen[bytes], url: str) -> None:
    """Returns when it answers."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if process.poll() is not None:
            raise SystemExit("the server to be measured ended at once")
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/api/health", timeout=2):
            return
        time.sleep(0.1)
    raise SystemExit("the server to be measured did not become healthy within a minute")


@contextlib.asynccontextmanager
async def installation(**settings: str) -> AsyncIterator[Installation]:
    """A fresh installation without rates and ceilings, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="leadpulse-bench-") as directory:
        # Root's server runs as another user, who must be able to pass; else it would move away.
        Path(directory).chmod(0o711)
        data = Path(directory) / "data"
        port = free_port()
        environment = {
            **os.environ,
            "LEADPULSE_CLIENT_RATE": "0,0,0",
            "LEADPULSE_API_RATE": "0",
            "LEADPULSE_SERVER_RATE": "0",
            "LEADPULSE_CEILINGS": "0,0,0",
            "LEADPULSE_WORKER_PORT": str(free_port()),
            "LEADPULSE_LOG_LEVEL": "warning",
            **settings,
        }
        with (Path(directory) / "serve.log").open("wb") as log:
            process = subprocess.Popen(
                [
                    sys.executable, "-m", "leadpulse", "serve", "--port", str(port),
                    "--data-dir", str(data),
                ],
                env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        try:
            url = f"http://127.0.0.1:{port}"
            await asyncio.to_thread(wait_healthy, process, url)
            made = await asyncio.to_thread(
                _command, data, environment, "projects", "create", "Bench"
            )
            dsn = running_dsn(data)
            assert dsn is not None
            database = await connect(dsn, "bench")
            yield Installation(
                process, url, data, environment, made["id"], made["writeKey"],
                made["secretKey"], database,
            )  # fmt: skip
            await database.close()
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait, 60)
