from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import pytest

from leadpulse.settings import __file__ as settings_file
from support.commands import environment, leadpulse
from support.postgres import reachable_folder
from support.server import free_port, wait_until

ANY_PORT = {"LEADPULSE_WORKER_PORT": "0"}


@dataclass
class Serving:
    """A `leadpulse serve` or `demo` of a test, and what it printed."""

    folder: Path
    command: str = "serve"
    port: int = field(default_factory=free_port)
    worker_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def printed(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def start(self, *options: str, **settings: str) -> None:
        more = {"LEADPULSE_WORKER_PORT": str(self.worker_port), **settings}
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "leadpulse", self.command),
                    *("--port", str(self.port), "--data-dir", str(self.data), *options),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(**more),
            )

    def ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.printed
        return "LeadPulse is ready" in self.printed

    def children(self, *words: str) -> list[psutil.Process]:
        assert self.process is not None
        found = psutil.Process(self.process.pid).children(recursive=True)
        return [p for p in found if all(word in " ".join(_line(p)) for word in words)]

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def _line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/health/live", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture
def serving() -> Iterator[Serving]:
    one = Serving(reachable_folder())
    yield one
    if one.process is not None and one.process.poll() is None:
        one.process.kill()
        one.process.wait(10)
        wait_until("an end of its children", lambda: not running_in(one.data), 40)
    shutil.rmtree(one.folder, ignore_errors=True)


def running_in(data: Path) -> list[int]:
    """Processes that belong to a data directory, whoever started them."""
    found = []
    for process in psutil.process_iter():
        try:
            if str(data) in " ".join(process.cmdline()):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def test_serve_is_the_whole_product(serving: Serving) -> None:
    """First start prints a project with its keys that work; SIGTERM ends all with status 0.

    Links for people lead to where it serves.
    """
    serving.start()
    wait_until("the ready message", serving.ready)
    key = serving.printed.split("write key")[1].split()[0]
    secret = serving.printed.split("secret key")[1].split()[0]
    sent = httpx.post(
        f"{serving.url}/api/ingest/event",
        headers={"X-API-Key": key},
        json={"event": "demo_request", "email": "ann@example.com"},
    )
    assert sent.status_code == 202

    def leads() -> list[dict[str, object]]:
        answer = httpx.get(f"{serving.url}/api/leads", headers={"X-API-Key": secret})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, object]] = answer.json()["leads"]
        return [lead for lead in found if lead["currentScore"] == 50]

    wait_until("the score", leads, 20)
    made = ("users", "create", "ann@example.com", "--name", "Ann")
    assert leadpulse(*made, "--data-dir", serving.data).status == 0
    link = leadpulse("users", "link", "ann@example.com", "--json", "--data-dir", serving.data)
    assert link.document["url"].startswith(f"http://localhost:{serving.port}/")
    family = [serving.process.pid, *(p.pid for p in serving.children())] if serving.process else []
    assert serving.stop() == 0
    assert not [pid for pid in family if psutil.pid_exists(pid)]
    assert "Traceback" not in serving.printed


def test_second_start_makes_no_second_project(serving: Serving) -> None:
    """Keys are printed once; a later start says where to find what there is."""
    serving.start()
    wait_until("the ready message", serving.ready)
    assert serving.stop() == 0
    (serving.folder / "log").unlink()
    serving.start()
    wait_until("the ready message", serving.ready)
    assert "secret key" not in serving.printed
    listed = leadpulse("projects", "list", "--json", "--data-dir", serving.data)
    assert len(listed.document["projects"]) == 1


def test_killed_children_come_back(serving: Serving) -> None:
    """SIGKILL of the API, of scorers and of PostgreSQL: service is back without a hand."""
    serving.start("--workers", "1")
    wait_until("the ready message", serving.ready)
    for words in (("leadpulse", "api"), ("leadpulse.worker",), ("bin/postgres", "-D")):
        victims = serving.children(*words)
        assert victims, words
        for victim in victims:
            victim.kill()

        def back(words: tuple[str, ...] = words, old: set[int] = {p.pid for p in victims}) -> bool:  # noqa: B006
            return any(p.pid not in old for p in serving.children(*words))

        wait_until(f"{words} is back", back, 20)
        wait_until("an answer", lambda: _answers(serving.url), 20)
    assert leadpulse("projects", "list", "--data-dir", serving.data).status == 0
    assert serving.stop() == 0


def test_callers_wait_while_the_api_comes_back(serving: Serving) -> None:
    """Nobody is refused between the death of an API process and its successor."""
    serving.start("--workers", "1")
    wait_until("the ready message", serving.ready)
    for process in serving.children("leadpulse", "api"):
        process.kill()
    assert httpx.get(f"{serving.url}/api/health/live", timeout=20).status_code == 200


def test_commands_work_beside_a_running_serve(serving: Serving) -> None:
    """Every other command uses the server that runs, and leaves it running."""
    serving.start("--workers", "1")
    wait_until("the ready message", serving.ready)
    made = leadpulse("projects", "create", "Other", "--json", "--data-dir", serving.data)
    assert made.status == 0, made.err
    health = httpx.post(
        f"{serving.url}/api/ingest/event",
        headers={"X-API-Key": made.document["writeKey"]},
        json={"event": "signup", "anonymousId": "a"},
    )
    assert health.status_code == 202
    saved = leadpulse("backup", serving.folder / "b", "--data-dir", serving.data)
    assert saved.status == 0, saved.err
    assert _answers(serving.url)


def test_second_serve_names_the_holder(serving: Serving) -> None:
    """One owner per data directory: the second one says who holds it."""
    serving.start("--workers", "1")
    wait_until("the ready message", serving.ready)
    assert serving.process is not None
    other = leadpulse("serve", "--port", "0", "--data-dir", serving.data, settings=ANY_PORT)
    assert other.status == 1
    assert f"in use by process {serving.process.pid}" in other.err
    assert "--data-dir" in other.err
    assert _answers(serving.url)


@pytest.mark.parametrize("which", ["api", "worker"])
def test_taken_port_is_a_sentence(which: str, tmp_path: Path) -> None:
    """A taken port says by whom, and what to choose instead; nothing is left behind."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        port, worker_port = (number, 0) if which == "api" else (0, number)
        done = leadpulse(
            "serve", "--port", str(port), "--data-dir", tmp_path / "d",
            settings={"LEADPULSE_WORKER_PORT": str(worker_port)},
        )  # fmt: skip
    assert done.status == 1
    assert f"Port {number} is taken by process {os.getpid()}" in done.err
    assert ("--port" if which == "api" else "LEADPULSE_WORKER_PORT") in done.err
    assert not (tmp_path / "d").exists()


def test_killed_parent_leaves_nothing_running(serving: Serving) -> None:
    """SIGKILL of the parent ends its family, and the next start works at once."""
    serving.start("--workers", "1")
    wait_until("the ready message", serving.ready)
    assert serving.process is not None
    serving.process.kill()
    serving.process.wait(10)
    wait_until("the end of the family", lambda: not running_in(serving.data), 40)
    (serving.folder / "log").unlink()
    serving.start("--workers", "1")
    wait_until("the ready message", serving.ready)
    assert serving.stop() == 0


def test_api_and_worker_apart(database: str, tmp_path: Path) -> None:
    """In production API and scorers are processes of their own around one database."""
    port, worker_port = free_port(), free_port()
    settings = {"DATABASE_URL": database, "LEADPULSE_WORKER_PORT": str(worker_port)}
    made = leadpulse("projects", "create", "P", "--json", folder=tmp_path, settings=settings)
    assert made.status == 0, made.err
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "leadpulse", *arguments],
            cwd=tmp_path, env=environment(**settings), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        for arguments in (("api", "--port", str(port)), ("worker", "--workers", "2"))
    ]  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until("an answer", lambda: _answers(url), 30)
        secret = {"X-API-Key": made.document["secretKey"]}
        event = {"event": "demo_request", "userId": "u1"}
        assert httpx.post(f"{url}/api/ingest/event", headers=secret, json=event).status_code == 202
        wait_until(
            "the score",
            lambda: [
                lead
                for lead in httpx.get(f"{url}/api/leads", headers=secret).json()["leads"]
                if lead["currentScore"] == 50
            ],
            20,
        )
        health = f"http://127.0.0.1:{worker_port}/health"
        wait_until("the worker's health", lambda: httpx.get(health).status_code == 200, 20)
    finally:
        for process in started:
            process.terminate()
        assert [process.wait(30) for process in started] == [0, 0]


def test_demo_fills_a_project(serving: Serving) -> None:
    """The demo sends its history through HTTP, prints keys that work, and ends if asked."""
    serving.command = "demo"
    serving.start("--people", "40", "--once", "--workers", "1")
    assert serving.process is not None
    assert serving.process.wait(60) == 0, serving.printed
    assert "events of the last 30 days sent" in serving.printed
    project = serving.printed.split("project     Demo, ")[1].split()[0]
    exported = leadpulse("export", "events", "-", "--project", project, "--data-dir", serving.data)
    assert len(exported.out.splitlines()) > 200
    listed = leadpulse("projects", "list", "--json", "--data-dir", serving.data)
    assert [one["name"] for one in listed.document["projects"]] == ["Demo"]


def test_demo_keeps_events_coming_to_a_running_serve(serving: Serving) -> None:
    """Beside a running serve the demo uses that one, and goes on until it is told to stop."""
    serving.start("--workers", "1")
    wait_until("the ready message", serving.ready)
    demo = subprocess.Popen(
        [
            *(sys.executable, "-m", "leadpulse", "demo", "--people", "5", "--rate", "50"),
            *("--data-dir", str(serving.data)),
        ],
        env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert demo.stdout is not None
        lines = iter(demo.stdout.readline, "")
        words = next(line.split() for line in lines if "log in" in line)
        given = {"email": words[2].rstrip(","), "password": words[4]}
        begun = httpx.post(f"{serving.url}/api/auth/login", json=given).json()
        assert (begun["project"]["name"], begun["project"]["role"]) == ("Demo", "owner")
        secret = next(line.split()[2] for line in lines if "secret key" in line)
        assert any("keep coming" in line for line in lines)
        headers = {"X-API-Key": secret}

        def stored() -> int:
            answer = httpx.get(f"{serving.url}/api/events?limit=200", headers=headers)
            return len(answer.json()["events"])

        before = stored()
        wait_until("more events", lambda: stored() > before, 20)
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait(20)
        if demo.stdout is not None:
            demo.stdout.close()
    assert demo.returncode == 130


@pytest.mark.skipif(os.geteuid() != 0, reason="the whole suite already runs as an ordinary user")
def test_an_ordinary_user_can_serve(serving: Serving) -> None:
    """Not only root: an ordinary account serves in a directory of its own."""
    python = _interpreter_for_everybody()
    nobody = pwd.getpwnam("nobody")
    os.chown(serving.folder, nobody.pw_uid, nobody.pw_gid)
    packages = [path for path in sys.path if path.endswith("site-packages")]
    source = str(Path(settings_file).parents[1])
    with (serving.folder / "log").open("ab") as log:
        serving.process = subprocess.Popen(
            [python, "-m", "leadpulse", "serve", "--port", str(serving.port), "--data-dir", "data"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=serving.folder,
            user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[],
            env={
                "PATH": os.defpath,
                "PYTHONPATH": os.pathsep.join([source, *packages]),
                "PYTHONDONTWRITEBYTECODE": "1",
                "LEADPULSE_WORKER_PORT": str(serving.worker_port),
            },
        )  # fmt: skip
    wait_until("the ready message", serving.ready)
    assert all(p.uids().real == nobody.pw_uid for p in serving.children())
    assert serving.stop() == 0


def _interpreter_for_everybody() -> str:
    """This interpreter may itself lie below a closed /root; then the system's does as well."""
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            done = subprocess.run(
                [python, "-c", "import sys; print(sys.version_info[:2])"],
                check=False, capture_output=True, text=True, user="nobody", cwd="/",
            )  # fmt: skip
        except OSError:
            continue
        if done.stdout.strip() == str(sys.version_info[:2]):
            return python
    pytest.skip("no interpreter of this version that an ordinary user may run")


@contextlib.contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A disk of its own with little room."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a small disk")
    folder = reachable_folder()
    options = f"size={megabytes}m,mode=755"
    small = ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)]
    if subprocess.run(small, check=False, capture_output=True).returncode != 0:
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


def test_full_disk_is_told() -> None:
    """A data directory on a disk without room ends in a sentence that says so."""
    with small_disk(8) as folder:
        done = leadpulse("projects", "create", "x", "--data-dir", folder / "data")
        assert done.status == 1
        assert "is full" in done.err
        assert "Traceback" not in done.err


def test_disk_that_became_full_or_read_only_is_told() -> None:
    """The same for an installation that was there before, and where nothing may be written."""
    with small_disk(120) as folder:
        made = leadpulse("projects", "create", "x", "--data-dir", folder / "data")
        assert made.status == 0, made.err
        filling = folder / "filling"
        with contextlib.suppress(OSError), filling.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 65_536)
        for command in (["verify"], ["serve", "--port", "0"]):
            done = leadpulse(*command, "--data-dir", folder / "data", settings=ANY_PORT)
            assert done.status == 1
            assert "is full. Free some space" in done.err
            assert "Traceback" not in done.err
        filling.unlink()
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        for name in ("data", "new"):
            done = leadpulse("serve", "--port", "0", "--data-dir", folder / name, settings=ANY_PORT)
            assert done.status == 1
            assert "Read-only file system" in done.err
            assert "--data-dir" in done.err
            assert "Traceback" not in done.err
