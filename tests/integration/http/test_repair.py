"""What a person does about failed work and held events, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadpulse.http import answers_admin
from leadpulse.ids import uuid7

if TYPE_CHECKING:
    from support.api import Api


async def fail(api: Api, lead: str, event: str | None = None) -> str:
    """A dead letter of a lead."""
    job = uuid7()
    await api.conn.execute(
        """
        insert into dead_letters (project_id, id, lead_id, kind, error, attempts, event,
            first_failed_at, failed_at)
        values (%s, %s, %s, 'scoring', 'it broke', 6, %s, now(), now())
        """,
        (api.project.id, job, lead, event),
    )
    return job


async def one_lead(api: Api) -> str:
    await api.send({"event": "signup", "userId": "a"}, {"event": "download", "userId": "a"})
    await api.score()
    return await api.lead_of(user="a")


async def test_fault_12_a_rebuilt_lead_is_picked_up_again(api: Api) -> None:
    """A rebuild folds the lead from its first event and ends at the same score."""
    lead = await one_lead(api)
    await api.conn.execute("update leads set score = 7")
    answer = await api.call("POST", f"/api/admin/rebuild/{lead}", 202)
    answers_admin.Done.model_validate(answer)
    await api.score()
    assert (await api.get("/api/leads"))["leads"][0]["currentScore"] == 45
    assert (await api.call("POST", "/api/admin/verify"))["ok"] is True
    await api.call("POST", f"/api/admin/rebuild/{uuid7()}", 404)


async def test_a_project_is_rebuilt_in_the_background(api: Api) -> None:
    """The call answers at once with how many leads it concerns."""
    await one_lead(api)
    answer = await api.call("POST", "/api/admin/rebuild-project", 202)
    answers_admin.Done.model_validate(answer)
    assert answer["leads"] == 1


async def test_failed_work_is_tried_again_once(api: Api) -> None:
    """Replayed work is settled; a second time is a conflict."""
    job = await fail(api, await one_lead(api))
    await api.call("POST", f"/api/admin/retry-failed/{job}", 202)
    again = await api.call("POST", f"/api/admin/retry-failed/{job}", 409)
    assert again["code"] == "already_settled"
    await api.call("POST", f"/api/admin/discard-failed/{job}", 409)
    assert (await api.get("/api/admin/failed-jobs"))["jobs"] == []
    (found,) = (await api.get("/api/admin/failed-jobs?state=replayed"))["jobs"]
    assert found["id"] == job


async def test_a_discarded_event_stops_counting_and_can_be_restored(api: Api) -> None:
    """Discarding marks the event at fault as excluded; restoring takes that back."""
    lead = await one_lead(api)
    download = (await api.get("/api/events?type=download"))["events"][0]["id"]
    job = await fail(api, lead, download)
    await api.call("POST", f"/api/admin/discard-failed/{job}", 202)
    await api.score()
    assert (await api.get(f"/api/leads/{lead}"))["currentScore"] == 30
    assert (await api.get(f"/api/events/{download}"))["status"] == "excluded"
    await api.call("POST", f"/api/admin/restore-event/{download}", 202)
    await api.score()
    assert (await api.get(f"/api/leads/{lead}"))["currentScore"] == 45


async def test_held_events_are_released(api: Api) -> None:
    """Released events score, in their own time."""
    lead = await one_lead(api)
    await api.conn.execute("update events set quarantined = true where event_type = 'download'")
    await api.call("POST", f"/api/admin/rebuild/{lead}", 202)
    await api.score()
    assert (await api.get(f"/api/leads/{lead}"))["currentScore"] == 30
    assert (await api.get("/api/admin/quarantine"))["leads"] == [{"leadId": lead, "events": 1}]
    await api.call("POST", f"/api/admin/release/{lead}", 202)
    await api.score()
    assert (await api.get(f"/api/leads/{lead}"))["currentScore"] == 45
