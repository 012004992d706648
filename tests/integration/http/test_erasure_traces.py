"""Traces of an erased person in what belongs to others, and his names under other titles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from leadpulse.usecases import erase, private
from support.tenants import someone

if TYPE_CHECKING:
    from support.api import Api

ALICE = {"userId": "alice-1", "email": "alice@gone.example"}


async def erased(api: Api, q: str = "alice-1") -> str:
    """Erases whom a search finds; returns what was answered."""
    answer = await api.call("POST", f"/api/leads/{await api.lead_of(q=q)}/erase")
    status: str = answer["status"]
    return status


async def left(api: Api, text: str = "alice@gone") -> dict[str, int]:
    """In how many rows of each table that tells of people a text stands, in any case."""
    found: dict[str, int] = {}
    for table in ("events", "lead_profiles", "event_conflicts", "identifiers", "erasures"):
        cursor = await api.conn.execute(
            f"select count(*) from {table} t where strpos(lower(t::text), %s) > 0".encode(),
            (text,),
        )
        row = await cursor.fetchone()
        if row is not None and row[0]:
            found[table] = int(row[0])
    return found


async def names(api: Api) -> list[tuple[int, str]]:
    cursor = await api.conn.execute("select kind, value from identifiers order by 1, 2")
    return [(kind, value) for kind, value in await cursor.fetchall()]


def says(user: str, day: int, **traits: Any) -> dict[str, Any]:
    return {"event": "identify", "userId": user, "timestamp": f"2026-01-{day:02}T00:00:00Z",
            "traits": traits}  # fmt: skip


async def test_what_was_said_before_goes_too(api: Api) -> None:
    """The address in an event of somebody whose profile has said something else since."""
    await api.send({"event": "identify", **ALICE}, says("bob", 1, referrer=ALICE["email"], a=1),
                   says("bob", 2, referrer="carol@stays.example"))  # fmt: skip
    await api.score()
    assert await erased(api) == "done"
    assert await left(api) == {}
    bob = await api.get(f"/api/leads/{await api.lead_of(q='bob')}")
    assert bob["traits"] == {"a": 1, "referrer": "carol@stays.example"}


@pytest.mark.parametrize("held", [False, True])
async def test_what_waits_to_be_scored_does_not_bring_it_back(api: Api, *, held: bool) -> None:
    """Nor what is held: profiles show it only later."""
    await api.send({"event": "identify", **ALICE}, {"event": "identify", "userId": "bob"})
    await api.score()
    await api.send(says("bob", 1, referrer=ALICE["email"], city="Ulm"))
    if held:
        await api.conn.execute("update events set quarantined = true where traits ? 'referrer'")
    await erased(api)
    bob = await api.lead_of(q="bob")
    if held:
        await api.call("POST", f"/api/admin/release/{bob}", 202)
    await api.score()
    assert await left(api) == {}
    assert (await api.get(f"/api/leads/{bob}"))["traits"] == {"city": "Ulm"}


@pytest.mark.both_postgres
async def test_an_address_goes_wherever_it_stands_in_a_trait(api: Api) -> None:
    """As a name of something, deep inside, in a text, in an address of a page; no other goes."""
    await api.send({"event": "identify", **ALICE})
    await api.send(
        says("dan", 1, **{"alice@gone.example": 1, "city": "Ulm"}),
        says("dan", 2, friends={"near": [{"Alice@Gone.example": True}]}),
        says("dan", 3, by="Alice <ALICE@gone.example>", page="/x?email=alice%40gone.example&y=1"),
        says("dan", 4, **{"seen by": "alice@gone.example."}),
        says("dan", 5, email="dan@stays.example", twin="malice@gone.example",
             abroad="alice@gone.example.org", other="x.alice@gone.example"),
        says("dan", 6, also={"userId": "alice-1"}, userId="alice-1"),
    )  # fmt: skip
    await api.score()
    await erased(api)
    dan = await api.get(f"/api/leads/{await api.lead_of(q='dan')}")
    assert dan["traits"] == {
        "city": "Ulm", "twin": "malice@gone.example", "abroad": "alice@gone.example.org",
        "other": "x.alice@gone.example", "also": {"userId": "alice-1"},
    }  # fmt: skip
    assert dan["userId"] == "dan"
    assert await left(api) == {"events": 1, "lead_profiles": 1}
    assert await left(api, "alice-1") == {"events": 1, "lead_profiles": 1}


async def test_letters_beyond_ascii_are_compared_as_we_read_them(api: Api) -> None:
    """PostgreSQL may fold fewer letters than we do."""
    await api.send({"event": "identify", "userId": "a", "email": "Ånne@Gone.example"},
                   says("dan", 1, by="ÅNNE@GONE.example"))  # fmt: skip
    await api.score()
    await erased(api, "nne@gone")
    assert await left(api, "nne@gone") == {}


async def test_what_a_merged_lead_showed_goes_too(api: Api) -> None:
    """A lead that is hidden since a merge keeps what it showed last; that is looked at as well."""
    await api.send({"event": "identify", **ALICE}, {"event": "identify", "userId": "bob"},
                   says("dan", 1, referrer=ALICE["email"]))  # fmt: skip
    await api.score()
    bob, dan = await api.lead_of(q="bob"), await api.lead_of(q="dan")
    await api.call("POST", f"/api/leads/{dan}/merge", json={"intoId": bob})
    await api.score()
    await api.send(says("dan", 2, referrer="carol@stays.example"))
    await api.score()
    await erased(api)
    assert await left(api) == {}
    (merge,) = (await api.get(f"/api/leads/{bob}/merges"))["merges"]
    await api.call("POST", f"/api/merges/{merge['id']}/undo")
    await api.score()
    shown = await api.get(f"/api/leads/{dan}")
    assert (shown["userId"], shown["traits"]) == ("dan", {"referrer": "carol@stays.example"})


async def test_traces_are_looked_for_in_portions(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """However small they are, and from where another process stood; none is left out."""
    for bound, value in (("_PORTION", 3), ("_LOOKED", 5), ("_FOUND", 2), ("_AT_ONCE", 2)):
        monkeypatch.setattr(erase, bound, value)
    taken = {"event": "signup", "userId": "dan0", "eventId": "taken"}
    await api.send({"event": "identify", **ALICE}, taken)
    for n in range(7):
        conflict = {**taken, "userId": f"dan{n}", "properties": {"by": ALICE["email"], "n": n}}
        await api.call("POST", "/api/ingest/event", 202, json={**conflict, "event": f"e{n}"})
        await api.send(says(f"dan{n}", 1, by=ALICE["email"]), says(f"dan{n}", 2, by="x"),
                       {"event": "page_view", "userId": "dan3"})  # fmt: skip
    await api.score()
    assert await erased(api) == "running"
    assert await left(api)
    while await private.erasure_pass(api.conn):
        pass
    assert await left(api) == {}


async def test_an_address_is_suppressed_whatever_it_is_sent_as(api: Api) -> None:
    """An email as a userId, a userId that is an address as an email, in any case."""
    await api.send({"event": "identify", "userId": "Eve@gone.example"},
                   {"event": "identify", **ALICE})  # fmt: skip
    await api.score()
    await erased(api, "eve@gone")
    await erased(api)
    events: list[dict[str, Any]] = [
        {"email": "eve@gone.example"}, {"userId": "eve@gone.example"},
        {"userId": "Alice@Gone.example"}, {"anonymousId": "alice@gone.example"},
        {"userId": "x", "traits": {"userId": "alice@gone.example"}},
    ]  # fmt: skip
    for turn in range(2):
        await api.send(*[
            {"event": "page_view", "eventId": f"{turn}-{n}", **event}
            for n, event in enumerate(events)
        ])  # fmt: skip
    await api.score()
    assert await names(api) == []
    for name in ({"userId": "alice@gone.example"}, {"email": "eve@gone.example"}):
        refused = await api.call("POST", "/api/leads", 409, json=name)
        assert refused["code"] == "suppressed"
    owner = await someone(api, "owner")
    path = f"/api/projects/{api.project.id}/suppressions"
    for asked in ({"userId": "alice@gone.example"}, {"email": "eve@gone.example"}):
        page = await api.get(path, key=owner.token, params=asked)
        assert len(page["suppressions"]) == 1


@pytest.mark.both_postgres
async def test_names_that_were_taken_off_are_his_too(api: Api) -> None:
    """They are suppressed and looked for, unless somebody else holds them by now."""
    await api.send({"event": "identify", **ALICE},
                   says("alice-1", 1, email="alice@older.example", userId="alice-0"))  # fmt: skip
    await api.score()
    lead = await api.lead_of(q="alice-1")
    await api.call("PATCH", f"/api/leads/{lead}", json={"email": "alice@byhand.example"})
    await api.call("PATCH", f"/api/leads/{lead}", json={"email": None})
    await api.send({"event": "a", "userId": "bob", "eventId": "e1"},
                   says("bob", 1, by="alice@gone.example", to="alice@byhand.example"),
                   {"event": "a", "userId": "carol", "email": "alice@older.example"})  # fmt: skip
    conflict = {"event": "b", "email": "alice@gone.example", "eventId": "e1"}
    await api.call("POST", "/api/ingest/event", 202, json=conflict)
    await api.score()
    await erased(api)
    assert await left(api) == {}
    assert await left(api, "alice@byhand") == {}
    await api.send(*[
        {"event": "page_view", **name}
        for name in ({"email": "alice@gone.example"}, {"email": "alice@byhand.example"},
                     {"userId": "alice-0"}, {"email": "alice@older.example"})
    ])  # fmt: skip
    await api.score()
    assert await names(api) == [(1, "bob"), (1, "carol"), (2, "alice@older.example")]
    carol = await api.get(f"/api/leads/{await api.lead_of(q='carol')}")
    assert carol["email"] == "alice@older.example"
