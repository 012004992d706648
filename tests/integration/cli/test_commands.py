from __future__ import annotations

import json
import os
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from leadpulse.cli.commands import COMMANDS, root
from leadpulse.cli.failures import sentence
from leadpulse.postgres import migrate, revisions
from leadpulse.postgres.embedded import EmbeddedPostgres
from support.commands import Done, leadpulse
from support.postgres import FAST, reachable_folder

EVENT = {"event": "signup", "email": "ann@example.com", "timestamp": "2024-05-01T10:00:00Z"}
NO_PROJECT = "01890a5d-ac96-774b-bcce-b302099a8057"


class Installation:
    """A data directory; commands use its server or start it for their own duration."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"

    def run(self, *arguments: str | Path) -> Done:
        return leadpulse(*arguments, "--data-dir", self.data, folder=self.folder)


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    """One whose server runs, as beside `serve`."""
    found = Installation(reachable_folder())
    server = EmbeddedPostgres(found.data, settings=FAST)
    migrate.migrate(server.start_blocking())
    yield found
    server.stop_blocking()
    shutil.rmtree(found.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def project(installation: Installation) -> str:
    done = installation.run("projects", "create", "Acme", "--json")
    assert done.status == 0, done.err
    return str(done.document["id"])


def test_the_program_explains_itself() -> None:
    """`--help` of the program lists every command with what it does."""
    done = leadpulse("--help")
    assert done.status == 0, done.err
    assert "Usage: leadpulse" in done.out
    for command in COMMANDS:
        assert re.search(rf"^  {command} +[A-Z`]", done.out, re.MULTILINE), command


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` of each command says what it does."""
    with pytest.raises(SystemExit) as ended:
        root([command, "--help"], prog_name="leadpulse")
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert f"Usage: leadpulse {command}" in printed
    assert len(printed.splitlines()) > 5


def test_project_is_made_with_its_keys(installation: Installation) -> None:
    """`projects create --json` prints exactly what the contract names."""
    done = installation.run("projects", "create", "Söme näme", "--preset", "classic", "--json")
    assert done.status == 0, done.err
    assert set(done.document) == {"id", "name", "preset", "writeKey", "secretKey"}
    assert done.document["name"] == "Söme näme"
    assert done.document["preset"] == "classic"
    assert done.document["writeKey"].startswith("pk_")
    assert done.document["secretKey"].startswith("sk_")
    listed = installation.run("projects", "list", "--json").document["projects"]
    assert done.document["id"] in [one["id"] for one in listed]


def test_keys_are_made_listed_and_revoked(installation: Installation, project: str) -> None:
    """A secret key is shown when it is made and never again."""
    options = ("--project", project, "--json")
    made = installation.run("keys", "create", "--kind", "secret", "--scope", "leads:read", *options)
    assert made.status == 0, made.err
    key = made.document
    listed = installation.run("keys", "list", *options)
    assert key["key"] not in listed.out
    found = next(one for one in listed.document["keys"] if one["id"] == key["id"])
    assert found["scopes"] == ["leads:read"]
    assert installation.run("keys", "revoke", key["id"], "--project", project).status == 0
    again = installation.run("keys", "revoke", key["id"], "--project", project)
    assert again.status == 1
    assert "was revoked" in again.err


def test_project_is_paused_and_resumed(installation: Installation, project: str) -> None:
    """Pausing shows in the list, and can be taken back."""
    assert installation.run("projects", "pause", project).status == 0
    listed = installation.run("projects", "list", "--json").document["projects"]
    assert [one["paused"] for one in listed if one["id"] == project] == [True]
    refused = installation.run("import", _events(installation, 1), "--project", project)
    assert refused.status == 1
    assert "paused" in refused.err
    assert installation.run("projects", "resume", project).status == 0


def _events(installation: Installation, count: int) -> Path:
    path = installation.folder / f"events-{count}.jsonl"
    lines = [{**EVENT, "email": f"p{number}@example.com"} for number in range(count)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_import_export_backup_restore(installation: Installation, project: str) -> None:
    """Events go in, come out, and survive a backup into another installation."""
    events = _events(installation, 30)
    done = installation.run("import", events, "--project", project, "--json")
    assert done.status == 0, done.err
    assert done.document["accepted"] == 30
    again = installation.run("import", events, "--project", project, "--json")
    assert again.document["duplicates"] == 30

    for name, rows in (("a.jsonl", 30), ("a.csv", 31)):
        out = installation.folder / name
        done = installation.run("export", "events", out, "--project", project)
        assert done.status == 0, done.err
        assert len(out.read_text().splitlines()) == rows
    told = installation.run("export", "leads", "-", "--project", project)
    assert len(told.out.splitlines()) == 30

    saved = installation.folder / "all.backup"
    done = installation.run("backup", saved, "--json")
    assert done.status == 0, done.err
    assert done.document["rows"]["events"] == 30
    other = Installation(installation.folder / "other")
    other.folder.mkdir(mode=0o711)
    done = other.run("restore", saved)
    assert done.status == 0, done.err
    refused = other.run("restore", saved)
    assert refused.status == 1
    assert "not empty" in refused.err
    copied = other.run("export", "events", "-", "--project", project)
    assert sorted(copied.out.splitlines()) == sorted(
        (installation.folder / "a.jsonl").read_text().splitlines()
    )


def test_wrong_lines_decide_the_exit_status(installation: Installation, project: str) -> None:
    """Rejected lines are named and written down; --allow-rejected makes them no failure."""
    path = installation.folder / "bad.jsonl"
    path.write_text(json.dumps(EVENT) + "\nnonsense\n")
    done = installation.run("import", path, "--project", project, "--rejected")
    assert done.status == 1
    assert "line 2: This is not JSON" in done.err
    kept = json.loads(path.with_name("bad.jsonl.rejected.jsonl").read_text())
    assert kept["line"] == 2
    assert kept["source"] == "nonsense"
    done = installation.run("import", path, "--project", project, "--allow-rejected")
    assert done.status == 0


def test_verify_prints_the_fields_of_the_contract(installation: Installation) -> None:
    """`verify --json` has exactly the contract's fields."""
    done = installation.run("verify", "--json")
    assert set(done.document) == {
        "leadsChecked", "pending", "failed", "differingCount", "differing", "ok",
    }  # fmt: skip
    assert (done.status == 0) == done.document["ok"]


def test_doctor_judges_an_installation() -> None:
    """A fresh installation has nothing bad; production asks for more."""
    fresh = Installation(reachable_folder())
    assert fresh.run("projects", "create", "P").status == 0
    settings = {"PORT": "0", "LEADPULSE_WORKER_PORT": "0"}
    data = ("--data-dir", fresh.data)
    done = leadpulse("doctor", "--json", *data, settings=settings)
    assert done.status == 0, done.out
    assert done.document["ok"] is True
    strict = leadpulse("doctor", "--production", *data, settings=settings)
    assert strict.status == 1
    assert "LEADPULSE_SIGNING_KEY is not set" in strict.out
    assert "openssl rand -hex 32" in strict.out
    shutil.rmtree(fresh.folder)


def test_doctor_finds_what_is_wrong_with_a_server(installation: Installation) -> None:
    """A server that may lose what it acknowledged is bad, with the way to mend it."""
    settings = {"PORT": "0", "LEADPULSE_WORKER_PORT": "0"}
    done = leadpulse("doctor", "--data-dir", installation.data, settings=settings)
    assert done.status == 1
    assert "fsync is off: an acknowledged event can be lost" in done.out
    assert "ALTER SYSTEM SET fsync = on" in done.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["projects", "create", ""], "name: must be"),
        (["projects", "create", "x", "--preset", "other"], "preset: must be one of"),
        (["projects", "pause", "nonsense"], "'nonsense' is not the id of a project"),
        (["projects", "pause", NO_PROJECT], "No project with the id"),
        (["keys", "list", "--project", NO_PROJECT], "No project with the id"),
        (["keys", "create", "--project", NO_PROJECT], "No project with the id"),
        (["import", "/nowhere.jsonl", "--project", NO_PROJECT], "There is no file"),
        (["import", "/etc/passwd", "--project", NO_PROJECT], "No project with the id"),
        (["import", "/etc", "--project", NO_PROJECT], "There is no file"),
        (["export", "leads", "/nowhere/x", "--project", NO_PROJECT], "No such file or directory"),
        (["export", "leads", "-", "--project", NO_PROJECT], "No project with the id"),
        (["verify", "--project", NO_PROJECT], "No project with the id"),
        (["backup", "/etc/passwd"], "exists already"),
        (["backup", "/nowhere/at/all"], "is no directory"),
        (["backup", "/tmp"], "is a directory"),
        (["restore", "/nowhere"], "There is no file"),
        (["restore", "/etc/passwd"], "not a complete backup"),
        (["serve", "--host", "no.such.host.invalid"], "is no address of this machine"),
    ],
)
def test_mistakes_are_told_in_a_sentence(
    installation: Installation, project: str, arguments: list[str], told: str
) -> None:
    """Whatever a person types, the answer is a sentence and status 1, never a traceback."""
    done = installation.run(*arguments)
    assert done.status == 1
    assert told in done.err
    assert done.err.startswith("leadpulse: ")
    assert "Traceback" not in done.err


def test_unknown_command_or_option_shows_the_way() -> None:
    """A typing mistake ends with status 2 and where to find help."""
    for arguments in (["sevre"], ["serve", "--prot", "1"], ["serve", "--port", "x"], ["dlq", "x"]):
        done = leadpulse(*arguments)
        assert done.status == 2
        assert "Usage:" in done.err
        assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("dsn", "told"),
    [
        ("postgresql://u:secret@127.0.0.1:1/db", "Connection refused"),
        ("postgresql://u:secret@no.such.host.invalid/db", "resolve"),
        ("postgresql://u:secret@127.0.0.1:notaport/db", "can't be"),
        ("postgresql://u:secret@127.0.0.1:1/db?nonsense=1", "can't be"),
        ("mysql://u:secret@h/db", "DATABASE_URL must be an address"),
        # What a driver would tear at the wrong place and show in parts.
        ("postgresql://u:sec@secret@h/db", "%40 for @"),
        ("postgresql://u:secret/secret@h/db", "%2F for /"),
        ("postgresql://u:secret?secret@h/db", "%3F for ?"),
        ("postgresql://u:secret%zz@h/db", "%25 for %"),
    ],
)
def test_wrong_database_url(dsn: str, told: str, tmp_path: Path) -> None:
    """A database that can't be had is a sentence that says why."""
    done = leadpulse("verify", "--data-dir", tmp_path, settings={"DATABASE_URL": dsn})
    assert done.status == 1
    assert told in done.err
    assert "secret" not in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("command", ["migrate", "api", "worker", "serve", "doctor"])
def test_absent_database(command: str, tmp_path: Path) -> None:
    """A database that isn't there is a sentence without its password, from every command."""
    dsn = "postgresql://u:secret@127.0.0.1:1/db"
    settings = {"DATABASE_URL": dsn, "PORT": "0", "LEADPULSE_WORKER_PORT": "0"}
    done = leadpulse(command, "--data-dir", tmp_path, settings=settings)
    assert done.status == 1
    assert "Connection refused" in done.err + done.out
    assert "secret" not in done.err + done.out
    assert "Traceback" not in done.err


def test_database_without_schema_names_the_command(empty_database: str, tmp_path: Path) -> None:
    """An outside database is migrated when that is asked for, not by the way."""
    settings = {"DATABASE_URL": empty_database}
    done = leadpulse("verify", "--data-dir", tmp_path, settings=settings)
    assert done.status == 1
    assert "leadpulse migrate" in done.err
    assert leadpulse("migrate", "--data-dir", tmp_path, settings=settings).status == 0
    again = leadpulse("migrate", "--json", "--data-dir", tmp_path, settings=settings)
    assert again.document == {"applied": []}
    assert leadpulse("verify", "--data-dir", tmp_path, settings=settings).status == 0


def test_database_user_without_rights(empty_database: str, tmp_path: Path) -> None:
    """Whoever may not make tables is told that, and not where the program crashed."""
    role = f"weak_{os.getpid()}"
    with psycopg.connect(empty_database, autocommit=True) as admin:
        admin.execute(f"create role {role}")
        # Every session begins as this one, as if it had logged in.
        admin.execute(f"alter database {admin.info.dbname} set role = {role}")
        try:
            settings = {"DATABASE_URL": empty_database}
            done = leadpulse("migrate", "--data-dir", tmp_path, settings=settings)
        finally:
            admin.execute(f"alter database {admin.info.dbname} reset role")
            admin.execute(f"drop role {role}")
    assert done.status == 1
    assert "The database user may not do this: permission denied" in done.err
    assert len(done.err.splitlines()) == 1


def test_all_wrong_settings_are_named_at_once(tmp_path: Path) -> None:
    """Two wrong variables give two lines."""
    settings = {"PORT": "many", "LEADPULSE_CEILINGS": "1,2"}
    done = leadpulse("serve", "--data-dir", tmp_path, settings=settings)
    assert done.status == 1
    assert "PORT must be" in done.err
    assert "LEADPULSE_CEILINGS must be" in done.err


def test_missing_installation_is_not_made_by_reading(tmp_path: Path) -> None:
    """A command that only reads doesn't create a database where there is none."""
    done = leadpulse("verify", "--data-dir", tmp_path / "typo")
    assert done.status == 1
    assert "There is no LeadPulse in" in done.err
    assert not (tmp_path / "typo").exists()


def test_data_directory_that_is_a_file(tmp_path: Path) -> None:
    """A data directory that can't be one is told."""
    (tmp_path / "file").write_text("")
    free = {"PORT": "0", "LEADPULSE_WORKER_PORT": "0"}
    done = leadpulse("serve", "--data-dir", tmp_path / "file", settings=free)
    assert done.status == 1
    assert "can't be used" in done.err or "cannot be used" in done.err
    assert "Traceback" not in done.err


def test_full_disk_is_a_sentence() -> None:
    """Running out of space says so, wherever it happens."""
    told = sentence(OSError(28, "No space left on device", "/somewhere"))
    assert told is not None
    assert "disk is full" in told


def test_backup_is_a_plain_archive(installation: Installation, project: str) -> None:
    """Whoever has lost everything but a backup can open it with common tools."""
    target = installation.folder / "plain.backup"
    assert installation.run("backup", target).status == 0
    with zipfile.ZipFile(target) as archive:
        assert archive.namelist() == ["database.dump", "manifest.json"]
        assert json.loads(archive.read("manifest.json"))["schema"] == revisions.newest()
        assert archive.read("database.dump")[:5] == b"PGDMP"


def test_newest_revision_is_told_by_its_file() -> None:
    """The quick look at the schema and the migration tool agree."""
    assert revisions.newest() == migrate.head()
