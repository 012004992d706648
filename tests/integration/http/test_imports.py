"""Leads out of CSV files: looked at before, taken in by a worker, rejected rows told."""

from __future__ import annotations

import asyncio
import csv
import io
import sys
from typing import TYPE_CHECKING, Any

import pytest

from leadpulse.http import answers_imports as told
from leadpulse.ids import uuid7
from leadpulse.postgres import lead_imports as store
from leadpulse.postgres.connect import Connection, connect
from leadpulse.usecases.import_pass import PORTION, forget_pass, import_pass
from leadpulse.usecases.inside import own_events
from support.tenants import audit_lines, secret_key, someone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from support.api import Api

FILE = """\
E-mail;User ID;First name;Last name;Company;City;Lead owner;Status
ada@example.com;;Ada;Lovelace;Engines;London;;Working
;u-2;Grace;Hopper;"Navy; US";Arlington;;
eve@example;;Eve;;;;;
;;Nobody;;;;;
bob@example.com;;Bob;;;;;sleeping
carol@example.com;;Carol;;;;nobody@example.com;
ADA@example.com;;Augusta;;;;;
"""


@pytest.fixture
async def worker(database: str) -> AsyncIterator[Connection]:
    """A connection with the rights that imports have in a worker."""
    conn = await connect(database, "imports")
    yield conn
    await conn.close()


async def upload(api: Api, text: str, **more: Any) -> str:
    body = {"name": "leads.csv", "csv": text, **more}
    answer = await api.call("POST", "/api/leads/import", 202, json=body)
    told.ImportStarted.model_validate(answer)
    return str(answer["id"])


async def preview(api: Api, text: str, **more: Any) -> Any:
    body = {"name": "leads.csv", "csv": text, **more}
    answer = await api.call("POST", "/api/leads/import?preview=true", json=body)
    told.ImportPreview.model_validate(answer)
    return answer


async def finish(worker: Connection, limit: int = PORTION) -> int:
    """Goes on until nothing is left; how many passes it took."""
    passes = 0
    while await import_pass(worker, limit):
        passes += 1
    return passes


async def state(api: Api, import_id: str) -> Any:
    return await api.told(f"/api/imports/{import_id}", told.LeadImport)


async def counts(api: Api, import_id: str) -> tuple[str, int, int, int, int, int]:
    found = await state(api, import_id)
    return tuple(found[n] for n in ("status", "rows", "done", "created", "updated", "rejected"))


async def rejected(api: Api, import_id: str) -> list[list[str]]:
    answer = await api.client.get(
        f"/api/imports/{import_id}/rejected",
        headers={"Authorization": f"Bearer {api.project.secret_key}"},
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    return [*csv.reader(io.StringIO(answer.text))]


async def one(api: Api, query: str, *values: Any) -> Any:
    row = await (await api.conn.execute(query.encode(), values)).fetchone()
    return None if row is None else row[0]


async def leads(api: Api) -> dict[str, Any]:
    found = (await api.get("/api/leads?limit=200"))["leads"]
    return {lead["email"] or lead["userId"]: lead for lead in found}


@pytest.mark.both_postgres
async def test_a_file_becomes_leads(api: Api, worker: Connection) -> None:
    """New ones and known ones, as confirmed facts; what can't be taken is told and kept."""
    known = await api.call("POST", "/api/leads", 201, json={"userId": "u-2", "name": "G."})
    import_id = await upload(api, FILE)
    assert await counts(api, import_id) == ("waiting", 7, 0, 0, 0, 0)
    await finish(worker)
    await api.score()
    found = await state(api, import_id)
    assert found["problems"] == [
        {"line": 4, "problem": "email: must be a valid address"},
        {"line": 5, "problem": "email: a row needs an email or a userId"},
        {"line": 6, "problem": "status: must be one of open, working, won, lost, disqualified"},
        {"line": 7,
         "problem": "owner: is neither the address nor the id of a member of this project"},
    ]  # fmt: skip
    assert await counts(api, import_id) == ("done", 7, 7, 1, 2, 4)
    assert found["finishedAt"] is not None
    made = await leads(api)
    assert set(made) == {"ada@example.com", "u-2"}
    ada, grace = made["ada@example.com"], made["u-2"]
    assert (ada["name"], ada["company"], ada["status"]) == ("Augusta", "Engines", "working")
    assert ada["traits"] == {"City": "London", "firstName": "Augusta", "lastName": "Lovelace"}
    assert ada["claimed"] == []
    assert (grace["id"], grace["name"], grace["company"]) == (
        known["id"], "Grace Hopper", "Navy; US",
    )  # fmt: skip
    rows = await rejected(api, import_id)
    assert rows[0] == ["problem", *FILE.splitlines()[0].split(";")]
    assert [row[0] for row in rows[1:]] == [problem["problem"] for problem in found["problems"]]
    assert rows[1][1:] == ["eve@example", "", "Eve", "", "", "", "", ""]
    assert await one(api, "select count(*)::int from import_rows where problem is null") == 0
    listed = await api.told("/api/imports", told.LeadImports)
    assert listed["imports"] == [found]
    assert listed["nextCursor"] is None


@pytest.mark.both_postgres
async def test_a_preview_tells_what_comes_and_changes_nothing(api: Api, worker: Connection) -> None:
    """The same counts and problems as the import then has."""
    await api.call("POST", "/api/leads", 201, json={"userId": "u-2"})
    before = await one(api, "select count(*)::int from leads")
    seen = await preview(api, FILE)
    assert await one(api, "select count(*)::int from leads") == before
    assert await one(api, "select count(*)::int from imports") == 0
    assert (seen["rows"], seen["creates"], seen["updates"], seen["rejected"]) == (7, 1, 2, 4)
    assert seen["columns"][0] == {
        "header": "E-mail", "field": "email",
        "samples": ["ada@example.com", "eve@example", "bob@example.com"],
    }  # fmt: skip
    assert seen["columns"][5] == {
        "header": "City", "field": "traits.City", "samples": ["London", "Arlington"]
    }  # fmt: skip
    import_id = await upload(api, FILE)
    await finish(worker)
    assert (await state(api, import_id))["problems"] == seen["problems"]
    again = await preview(api, FILE, columns={"City": None, "Company": "traits.firm"})
    assert (again["creates"], again["updates"]) == (0, 3)
    assert [column["field"] for column in again["columns"][4:6]] == ["traits.firm", None]


async def test_an_export_comes_back_as_it_went(api: Api, worker: Connection) -> None:
    """Formulas, quotes, traits of any shape; nothing shown of a lead differs afterwards."""
    traits = {"formula": "=1+1", "n": 5, "deep": {"a": [1, None, "x"]}, "company": {"name": "O'B"}}
    await api.call(
        "POST", "/api/leads", 201,
        json={"email": "ada@example.com", "name": '=HYPERLINK("x")', "traits": {"n": 1}},
    )  # fmt: skip
    await api.call(
        "POST", "/api/leads", 201,
        json={"email": "+bob@example.com", "name": '-Bob\n"B"', "company": traits.pop("company"),
              "traits": traits},
    )  # fmt: skip
    await api.score()
    answer = await api.client.get(
        "/api/leads/export", headers={"Authorization": f"Bearer {api.project.secret_key}"}
    )
    assert "'=HYPERLINK" in answer.text
    told_of = ("id", "name", "email", "company", "traits", "claimed")
    before = {key: {n: lead[n] for n in told_of} for key, lead in (await leads(api)).items()}
    import_id = await upload(api, answer.text)
    await finish(worker)
    assert await counts(api, import_id) == ("done", 2, 2, 0, 2, 0)
    after = {key: {n: lead[n] for n in told_of} for key, lead in (await leads(api)).items()}
    assert after == before


async def test_rejected_rows_can_be_mended_and_sent_again(api: Api, worker: Connection) -> None:
    """The file that is told is one that can be imported; formulas in it are harmless."""
    first = await upload(api, "email,name\nada@example,=1+1\n")
    await finish(worker)
    rows = await rejected(api, first)
    assert rows == [
        ["problem", "email", "name"],
        ["email: must be a valid address", "ada@example", "'=1+1"],
    ]
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    await upload(api, text.getvalue().replace("ada@example", "ada@example.com"))
    await finish(worker)
    assert (await leads(api))["ada@example.com"]["name"] == "=1+1"


async def test_two_people_are_no_row(api: Api, worker: Connection) -> None:
    """An email of one and a userId of another are refused, and the rows around them done."""
    for names in ({"email": "a@example.com", "userId": "a"}, {"userId": "b"}):
        await api.call("POST", "/api/leads", 201, json=names)
    text = "email,userId,name\na@example.com,b,X\nb@example.com,b,B\nc@example.com,a,A\n"
    seen = await preview(api, text)
    import_id = await upload(api, text)
    await finish(worker)
    problem = {
        "line": 2,
        "problem": "The email belongs to one person and the userId to another one.",
    }
    assert (await state(api, import_id))["problems"] == [problem] == seen["problems"]
    assert await counts(api, import_id) == ("done", 3, 3, 0, 2, 1)
    found = (await api.get("/api/leads"))["leads"]
    assert sorted(lead["name"] for lead in found) == ["A", "B"]


async def test_rows_about_one_person_make_one_lead(api: Api, worker: Connection) -> None:
    """Also where only a third one tells that two of them are the same; the last one counts."""
    text = "email,userId,name\na@example.com,,One\n,a,Two\na@example.com,a,Three\n"
    seen = await preview(api, text)
    import_id = await upload(api, text)
    await finish(worker)
    assert (seen["creates"], seen["updates"]) == (2, 1)
    assert await counts(api, import_id) == ("done", 3, 3, 2, 1, 0)
    await api.score()
    (lead,) = (await api.get("/api/leads"))["leads"]
    assert (lead["name"], lead["email"], lead["userId"]) == ("Three", "a@example.com", "a")


async def test_owners_are_members(api: Api, worker: Connection) -> None:
    """By address in any case or by id; the lead holds the id."""
    owner = await someone(api, "member", email="sales@example.com")
    text = f"email,owner\na@example.com,Sales@Example.com\nb@example.com,{owner.id}\n"
    await upload(api, text)
    await finish(worker)
    assert {lead["owner"] for lead in (await leads(api)).values()} == {owner.id}


@pytest.mark.both_postgres
async def test_an_import_goes_on_where_it_stopped(
    api: Api, worker: Connection, database: str
) -> None:
    """A process that dies in the middle leaves no row half done, and none is done twice."""
    rows = "".join(f"p{n}@example.com,{n}\n" for n in range(50))
    import_id = await upload(api, f"email,traits.n\n{rows}")
    assert await import_pass(worker, 20) == 20
    assert await counts(api, import_id) == ("running", 50, 20, 20, 0, 0)
    dying = await connect(database, "imports")
    real = store.settle

    async def dies(conn: Connection, *arguments: Any) -> None:
        await real(conn, *arguments)
        # As when the process is killed: the server notices that nobody is there any more.
        await api.conn.execute("select pg_terminate_backend(%s)", (conn.info.backend_pid,))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "settle", dies)
        with pytest.raises(Exception, match=r"terminat|clos"):
            await import_pass(dying, 20)
    await dying.close()
    assert await counts(api, import_id) == ("running", 50, 20, 20, 0, 0)
    await finish(worker, 20)
    assert await counts(api, import_id) == ("done", 50, 50, 50, 0, 0)
    assert len(await leads(api)) == 50
    assert await one(api, "select count(*)::int from events") == 50


_IMPORTER = """
import asyncio, sys
from leadpulse.postgres.connect import connect
from leadpulse.usecases.import_pass import import_pass

async def main():
    conn = await connect(sys.argv[1], "imports")
    while True:
        await import_pass(conn, 7)

asyncio.run(main())
"""


async def test_killed_processes_lose_nothing_and_do_nothing_twice(api: Api, database: str) -> None:
    """Two at a time, each killed in the middle of whatever it does, again and again."""
    import_id = await upload(
        api, "email,name\n" + "".join(f"p{n % 900}@example.com,{n}\n" for n in range(1_000))
    )
    running: list[asyncio.subprocess.Process] = []
    killed = 0
    try:
        while (now := await state(api, import_id))["status"] != "done":
            while len(running) < 2:
                running.append(
                    await asyncio.create_subprocess_exec(sys.executable, "-c", _IMPORTER, database)
                )
            # The fourth time they are let be.
            if killed < 3 and now["done"] > 150 * (killed + 1):
                for process in running:
                    process.kill()
                    await process.wait()
                running.clear()
                killed += 1
            await asyncio.sleep(0.005)
    finally:
        for process in running:
            process.kill()
            await process.wait()
    assert killed == 3
    assert await counts(api, import_id) == ("done", 1_000, 1_000, 900, 100, 0)
    assert await one(api, "select count(*)::int from leads") == 900
    assert await one(api, "select count(*)::int from events") == 1_000
    assert await one(api, "select count(*)::int from import_rows") == 0


async def test_imports_at_once_take_turns(api: Api, worker: Connection) -> None:
    """Two of one project about the same people: each is made once, whoever is first."""
    text = "email,name\n" + "".join(f"p{n}@example.com,{n}\n" for n in range(30))
    first, second = await upload(api, text), await upload(api, text)
    for _ in range(2):
        assert await import_pass(worker, 10) == 10
    assert (await state(api, first))["done"] == (await state(api, second))["done"] == 10
    await finish(worker, 10)
    done = [await counts(api, import_id) for import_id in (first, second)]
    assert sum(one[3] for one in done) == 30
    assert sum(one[4] for one in done) == 30
    assert len(await leads(api)) == 30


async def test_a_row_that_is_our_fault_is_rejected_alone(
    api: Api, worker: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A portion that fails goes row by row; what fails alone is told, and the rest is done."""
    real = own_events

    async def fails(conn: Any, project_id: str, said: Sequence[Any], now: int) -> Any:
        if any(saying.traits.get("name") == "5" for _, saying in said):
            raise RuntimeError("no")
        return await real(conn, project_id, said, now)

    monkeypatch.setattr("leadpulse.usecases.import_pass.own_events", fails)
    import_id = await upload(
        api, "email,name\n" + "".join(f"p{n}@example.com,{n}\n" for n in range(10))
    )
    await finish(worker, 10)
    assert await counts(api, import_id) == ("done", 10, 10, 9, 0, 1)
    (problem,) = (await state(api, import_id))["problems"]
    assert problem["line"] == 7
    assert "error of ours" in problem["problem"]
    assert (await rejected(api, import_id))[1][1] == "p5@example.com"


async def test_an_import_that_fails_again_and_again_is_given_up(
    api: Api, worker: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says so, and every row that is left can be fetched."""

    async def fails(*_: Any) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr("leadpulse.usecases.import_pass.own_events", fails)
    import_id = await upload(api, "email\n" + "".join(f"p{n}@example.com\n" for n in range(60)))
    await finish(worker)
    found = await state(api, import_id)
    assert found["status"] == "failed"
    assert "given up" in found["error"]
    assert (found["done"], found["rejected"], found["created"]) == (60, 60, 0)
    assert len(await rejected(api, import_id)) == 61


async def test_who_was_erased_stays_away(api: Api, worker: Connection) -> None:
    """Told as when a lead is made by hand; nothing of the row is kept, at any time."""
    made = await api.call("POST", "/api/leads", 201, json={"email": "jane@example.com"})
    before = await upload(api, "email,name\njane@example.com,Jane B\nbad,jane@example.com\n")
    await api.call("POST", f"/api/leads/{made['id']}/erase")
    assert await one(api, "select count(*)::int from import_rows where cells::text ~ 'ane'") == 0
    text = "email,name\njane@example.com,Jane D\nbob@example.com,Bob\n"
    seen = await preview(api, text)
    after = await upload(api, text)
    assert await one(api, "select count(*)::int from import_rows where cells::text ~ 'ane'") == 0
    await finish(worker)
    assert set(await leads(api)) == {"bob@example.com"}
    problem = "This person was erased, and nothing is kept of him until an owner lifts that."
    assert seen["problems"] == [{"line": 2, "problem": problem}]
    assert await counts(api, before) == ("done", 2, 2, 0, 0, 2)
    assert await counts(api, after) == ("done", 2, 2, 1, 0, 1)
    assert (await rejected(api, after))[1] == [problem]
    conflict = await api.call("POST", "/api/leads", 409, json={"email": "jane@example.com"})
    assert conflict["detail"] == problem


async def test_a_user_id_of_somebody_erased_is_no_word_of_others(
    api: Api, worker: Connection
) -> None:
    """Only where a column holds userIds it names her."""
    made = await api.call("POST", "/api/leads", 201, json={"userId": "7"})
    import_id = await upload(api, "userId,email,n\n7,bad,1\n8,bad,7\n")
    await finish(worker)
    await api.call("POST", f"/api/leads/{made['id']}/erase")
    assert [row[1:] for row in (await rejected(api, import_id))[1:]] == [[], ["8", "bad", "7"]]


async def test_imports_are_forgotten_after_a_month(api: Api, worker: Connection) -> None:
    """With the rows that were rejected."""
    import_id, younger = await upload(api, "email\nbad\n"), await upload(api, "email\nbad\n")
    await finish(worker)
    assert await forget_pass(worker) == 0
    await api.conn.execute(
        "update imports set finished_at = finished_at - interval '31 days' where id = %s",
        (import_id,),
    )
    assert await forget_pass(worker) > 0
    assert await forget_pass(worker) == 0
    await api.get(f"/api/imports/{import_id}", 404)
    assert await one(api, "select count(*)::int from import_rows") == 1
    assert (await state(api, younger))["rejected"] == 1


async def test_a_deleted_project_imports_nothing(api: Api, worker: Connection) -> None:
    """Until it is restored."""
    import_id = await upload(api, "email\na@example.com\n")
    await api.conn.execute("update projects set deleted_at = clock_timestamp()")
    assert await import_pass(worker) == 0
    await api.conn.execute("update projects set deleted_at = null")
    await finish(worker)
    assert (await state(api, import_id))["created"] == 1


async def test_what_is_no_import_is_told(api: Api) -> None:
    """A file that can't be read, columns that name nobody, too many at once, an unknown one."""
    for body, field in (
        ({"name": "x", "csv": "email\n"}, "csv"),
        ({"name": "x", "csv": "name\nAda\n"}, "columns"),
        ({"name": "x", "csv": "email\na@example.com", "columns": {"x": "name"}}, "columns.x"),
        ({"name": "x", "csv": "email\n\u0000"}, "csv"),
        ({"name": "", "csv": "email\na@example.com"}, "name"),
        ({"name": "x", "csv": 5}, "csv"),
    ):
        answer = await api.call("POST", "/api/leads/import", 422, json=body)
        assert answer["errors"][0]["field"] == field
    seen = await preview(api, "name\nAda\n")
    assert (seen["rejected"], seen["creates"]) == (1, 0)
    await api.get(f"/api/imports/{uuid7()}", 404)
    await api.get("/api/imports/nonsense", 404)
    await api.get(f"/api/imports/{uuid7()}/rejected", 404)
    for _ in range(5):
        await upload(api, "email\na@example.com\n")
    answer = await api.call(
        "POST", "/api/leads/import", 409, json={"name": "x", "csv": "email\na@example.com\n"}
    )
    assert answer["code"] == "too_many_imports"
    page = await api.get("/api/imports?limit=3")
    rest = await api.get(f"/api/imports?limit=3&cursor={page['nextCursor']}")
    assert (len(page["imports"]), len(rest["imports"]), rest["nextCursor"]) == (3, 2, None)


async def test_imports_stand_in_the_audit_log(api: Api, worker: Connection) -> None:
    """Who sent a file of how many rows, and who fetched what was rejected."""
    key = await secret_key(api, "leads:write")
    answer = await api.call(
        "POST", "/api/leads/import", 202, key=key,
        json={"name": "jane.csv", "csv": "email\nbad\nbad\n"},
    )  # fmt: skip
    await finish(worker)
    await rejected(api, answer["id"])
    lines = [line for line in await audit_lines(api) if "import" in line["action"]]
    assert [(line["action"], line["target"], line["details"]) for line in lines] == [
        ("leads.imported", f"import:{answer['id']}", {"rows": 2}),
        ("import.rejected_exported", f"import:{answer['id']}", {}),
    ]
    assert lines[0]["actor"].startswith("key:")


async def test_a_large_file(api: Api, worker: Connection) -> None:
    """Two thousand rows in twenty portions, half of them known; read and previewed at once."""
    text = "email,name\n" + "".join(f"p{n}@example.com,Person {n}\n" for n in range(2_000))
    await upload(api, "email\n" + "".join(f"p{n}@example.com\n" for n in range(0, 2_000, 2)))
    await finish(worker)
    seen = await preview(api, text)
    assert (seen["creates"], seen["updates"]) == (1_000, 1_000)
    import_id = await upload(api, text)
    assert await finish(worker) == 21
    assert await counts(api, import_id) == ("done", 2_000, 2_000, 1_000, 1_000, 0)
