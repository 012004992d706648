"""A whole installation as a newcomer runs it: `leadpulse serve` in a directory of its own.

Processes are found among the children of the one that was started here, and only those are
ever signalled.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx
import psutil

from leadpulse.postgres.embedded import running_dsn

PROGRAM = [sys.executable, "-m", "leadpulse"]


def free_port() -> int:
    """A port that nothing listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(what: str, holds: Any, seconds: float = 60.0, every: float = 0.05) -> Any:
    """Asks until the answer is truthy; fails with `what` when it never is."""
    end = time.monotonic() + seconds
    while True:
        answer = holds()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(every)


@dataclass
class Project:
    """A project with its keys, as the command line prints it."""

    id: str
    write_key: str
    secret_key: str


@dataclass
class Server:
    """A running `leadpulse serve`."""

    directory: Path
    workers: int = 2
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith("LEADPULSE_")},
            "LEADPULSE_CLIENT_RATE": "0,0,0",
            "LEADPULSE_API_RATE": "0",
            "LEADPULSE_SERVER_RATE": "0",
            "LEADPULSE_CEILINGS": "0,0,0",
            "LEADPULSE_WORKER_PORT": str(free_port()),
            **self.settings,
        }

    def start(self) -> Self:
        """Starts it and waits until it is healthy."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *PROGRAM, "serve", "--port", str(self.port),
                    "--data-dir", str(self.directory / "data"), "--workers", str(self.workers),
                ],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self.environment,
            )  # fmt: skip
        self.wait_healthy()
        return self

    def log(self) -> str:
        """What it printed so far."""
        return (self.directory / "serve.log").read_text(errors="replace")

    def healthy(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise AssertionError(f"serve ended with {self.process.returncode}:\n{self.log()}")
        try:
            return httpx.get(f"{self.url}/api/health", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def wait_healthy(self, seconds: float = 60.0) -> None:
        wait_until("a healthy server", self.healthy, seconds)

    def stop(self) -> int:
        """Asks it to end, and returns its exit status."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
            raise

    def run(self, *arguments: str, seconds: float = 300) -> subprocess.CompletedProcess[str]:
        """Runs another command beside it, on the same data directory."""
        return subprocess.run(
            [*PROGRAM, *arguments, "--data-dir", str(self.directory / "data")],
            capture_output=True, text=True, timeout=seconds, check=False,
            env=self.environment, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def project(self, name: str = "Test", preset: str = "leadpulse") -> Project:
        """A new project."""
        done = self.run("projects", "create", name, "--preset", preset, "--json")
        assert done.returncode == 0, done.stderr
        made = json.loads(done.stdout)
        return Project(made["id"], made["writeKey"], made["secretKey"])

    def secret_key(self, project: Project, scopes: tuple[str, ...]) -> str:
        """A secret key with these scopes."""
        wanted = [word for scope in scopes for word in ("--scope", scope)]
        done = self.run(
            "keys", "create", "--project", project.id, "--name", "test", "--kind", "secret",
            *wanted, "--json",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        key: str = json.loads(done.stdout)["key"]
        return key

    def verify(self) -> dict[str, Any]:
        """What `leadpulse verify --json` says."""
        done = self.run("verify", "--json", seconds=1200)
        assert done.stdout, done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        assert (done.returncode == 0) == report["ok"]
        return report

    @property
    def dsn(self) -> str:
        """The address of its database, for looking straight at what is stored."""
        dsn = running_dsn(self.directory / "data")
        assert dsn is not None
        return dsn

    def children(self, *words: str) -> list[psutil.Process]:
        """Its processes, at any depth, whose command line holds one of the words."""
        assert self.process is not None
        found = []
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                line = " ".join(child.cmdline())
                if any(word in line for word in words):
                    found.append(child)
        return found

    def scorers(self) -> list[psutil.Process]:
        return self.children("leadpulse.worker")

    def apis(self) -> list[psutil.Process]:
        return self.children("leadpulse.http", "leadpulse api", "leadpulse.api")

    def postmaster(self) -> list[psutil.Process]:
        return self.children("bin/postgres -D")


@contextlib.contextmanager
def running(directory: Path, **options: Any) -> Iterator[Server]:
    """A server for the length of a block, ended afterwards whatever happened."""
    server = Server(directory, **options).start()
    try:
        yield server
    finally:
        if server.process is not None and server.process.poll() is None:
            server.stop()


def report(line: str) -> None:
    """Prints what a long test measured; `-s` or a soak shows it."""
    sys.stdout.write(f"\n{line}\n")
