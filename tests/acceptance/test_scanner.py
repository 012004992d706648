"""A scanner for weaknesses of websites finds none, logged in or with a key for everything."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from leadpulse.domain.permissions import SCOPES
from support.server import Server, report, running

if TYPE_CHECKING:
    from collections.abc import Iterator

SCANNER: Final = Path(__file__).parents[2] / ".wapiti/bin/wapiti"
# All that need neither the network nor a form in a page; docs/reference/scans.md says which
# one is left out.
MODULES: Final = (
    "backup,cookieflags,crlf,csp,exec,file,htaccess,http_headers,ldap,methods,permanentxss,"
    "redirect,shellshock,sql,ssti,timesql,upload,xss"
)
# Whoever calls these is nobody afterwards.
ENDING: Final = ("logout", "logout-all", "change-password", "switch-project")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("scan"), workers=1) as started:
        yield started


@pytest.fixture(scope="module")
def headers(server: Server) -> dict[str, str]:
    """What lets a scan in, had before any: a scan wears out the logins of its address."""
    made = json.loads(
        server.run("users", "create", "own@example.com", "--name", "Own", "--json").stdout
    )
    given = {"email": made["email"], "password": made["password"]}
    begun = httpx.post(f"{server.url}/api/auth/login", json=given).raise_for_status()
    return {
        "key": f"X-API-Key: {server.secret_key(server.project(), SCOPES)}",
        "session": f"Authorization: Bearer {begun.json()['token']}",
    }


def scan(server: Server, header: str, folder: Path) -> tuple[int, dict[str, Any]]:
    """How many addresses were attacked, and what was found, by kind."""
    found = folder / "report.json"
    ending = [word for name in ENDING for word in ("-x", f"{server.url}/api/auth/{name}")]
    done = subprocess.run(
        [
            str(SCANNER), "-u", f"{server.url}/", "--swagger", f"{server.url}/api/openapi.json",
            "-H", header, "--scope", "folder", "-m", MODULES, *ending, "--flush-session",
            "--store-session", str(folder / "session"), "--store-config", str(folder / "config"),
            "--no-bugreport", "--max-attack-time", "300", "-f", "json", "-o", str(found),
        ],
        capture_output=True, text=True, timeout=7200, check=False, cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(found.read_text())
    # `additionals` are what it noticed and thinks no worse of: which methods an address takes.
    kinds = {**told["vulnerabilities"], **told["anomalies"]}
    return told["infos"]["crawled_pages_nbr"], {kind: hits for kind, hits in kinds.items() if hits}


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["key", "session"])
def test_a_scanner_finds_nothing(
    server: Server, headers: dict[str, str], kind: str, tmp_path: Path
) -> None:
    """Neither an injection nor a missing header nor an error of the server."""
    assert SCANNER.exists(), "`make soak` installs it"
    attacked, found = scan(server, headers[kind], tmp_path)
    report(f"scanned {attacked} addresses with a {kind}")
    assert attacked > 80
    assert not found, json.dumps(found, indent=1)[:5000]
    assert "Traceback" not in server.log()
