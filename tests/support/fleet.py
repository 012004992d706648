"""An installation as in production: API and worker processes around one outside database.

Every process that is ended here was started here, and is ended by its own handle.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import psutil

from support.server import Project, free_port, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = [sys.executable, "-m", "leadpulse"]
_END = 30.0


@dataclass
class Fleet:
    """Processes of `leadpulse api` and `leadpulse worker` that share a database."""

    directory: Path
    dsn: str
    settings: dict[str, str] = field(default_factory=dict)
    ports: list[int] = field(default_factory=list)
    apis: list[subprocess.Popen[bytes]] = field(default_factory=list)
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def urls(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    def _environment(self, **more: str) -> dict[str, str]:
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith("LEADPULSE_")},
            "DATABASE_URL": self.dsn,
            "LEADPULSE_CLIENT_RATE": "0,0,0",
            "LEADPULSE_API_RATE": "0",
            "LEADPULSE_SERVER_RATE": "0",
            "LEADPULSE_CEILINGS": "0,0,0",
            **self.settings,
            **more,
        }

    def _start(self, name: str, *arguments: str, **more: str) -> subprocess.Popen[bytes]:
        with (self.directory / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [*PROGRAM, *arguments, "--data-dir", str(self.directory / name)],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env=self._environment(**more),
            )  # fmt: skip

    def start(self, apis: int, workers: list[int]) -> None:
        """Starts so many API processes, and a worker process per number of scorers."""
        self.directory.mkdir(parents=True, exist_ok=True)
        for n in range(apis):
            port = free_port()
            self.ports.append(port)
            self.apis.append(self._start(f"api-{n}", "api", "--port", str(port)))
        for n, scorers in enumerate(workers):
            health = str(free_port())
            made = self._start(
                f"worker-{n}", "worker", "--workers", str(scorers), LEADPULSE_WORKER_PORT=health
            )
            self.workers.append(made)
        for url in self.urls:
            wait_until(f"an API at {url}", lambda url=url: self._healthy(url), 60)

    def _healthy(self, url: str) -> bool:
        for process in (*self.apis, *self.workers):
            assert process.poll() is None, self.logs()
        try:
            return httpx.get(f"{url}/api/health/live", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def logs(self) -> str:
        """The end of what every process printed."""
        return "\n".join(
            f"{path.name}: {path.read_text(errors='replace')[-2_000:]}"
            for path in sorted(self.directory.glob("*.log"))
        )

    def run(self, *arguments: str, seconds: float = 600) -> subprocess.CompletedProcess[str]:
        """Runs another command against the same database."""
        return subprocess.run(
            [*PROGRAM, *arguments, "--data-dir", str(self.directory / "cli")],
            capture_output=True, text=True, timeout=seconds, check=False,
            env=self._environment(), stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def project(self, name: str, preset: str = "leadpulse") -> Project:
        """A new project."""
        done = self.run("projects", "create", name, "--preset", preset, "--json")
        assert done.returncode == 0, done.stderr
        made = json.loads(done.stdout)
        return Project(made["id"], made["writeKey"], made["secretKey"])

    def verify(self) -> dict[str, Any]:
        """What `leadpulse verify --json` says."""
        done = self.run("verify", "--json", seconds=3_600)
        assert done.stdout, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def memory(self) -> dict[str, int]:
        """Resident bytes of the API processes, and of worker processes with their scorers."""
        return {
            "api": sum(_resident(process.pid) for process in self.apis),
            "worker": sum(_resident(process.pid) for process in self.workers),
        }

    def stop(self) -> None:
        """Asks every process to end; one that doesn't in time is killed, and that is told."""
        everyone = [*self.apis, *self.workers]
        for process in everyone:
            if process.poll() is None:
                process.terminate()
        end = time.monotonic() + _END
        stuck = []
        for process in everyone:
            try:
                process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                stuck.append(process.args)
                process.kill()
                process.wait(10)
        assert not stuck, f"did not end when asked: {stuck}"


def _resident(pid: int) -> int:
    total = 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                total += one.memory_info().rss
    return total


@contextlib.contextmanager
def a_fleet(directory: Path, dsn: str, apis: int, workers: list[int]) -> Iterator[Fleet]:
    """A fleet for the length of a block, ended afterwards whatever happened."""
    fleet = Fleet(directory, dsn)
    try:
        fleet.start(apis, workers)
        yield fleet
    finally:
        fleet.stop()
