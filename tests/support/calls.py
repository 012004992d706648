"""What every call of the API takes, written down by hand.

The tests that walk all of them hold the routes and their answers against this table. A call that
isn't here fails them.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from leadpulse.domain.permissions import ROLES, Permission, Role
from leadpulse.http.openapi import document

# Beside the names of permissions: for everybody; with a token of its own; for event calls; for
# whoever is logged in, in whatever role.
OPEN: Final = "OPEN"
METRICS: Final = "METRICS"
EVENTS: Final = "EVENTS"
PEOPLE: Final = "PEOPLE"

CALLS: Final = {
    "GET /api/admin/conflicts": "OPERATE",
    "POST /api/admin/discard-failed/{job_id}": "OPERATE",
    "GET /api/admin/failed-jobs": "OPERATE",
    "GET /api/admin/quarantine": "OPERATE",
    "POST /api/admin/rebuild-project": "OPERATE",
    "POST /api/admin/rebuild/{lead_id}": "OPERATE",
    "POST /api/admin/release/{lead_id}": "OPERATE",
    "POST /api/admin/restore-event/{event_id}": "OPERATE",
    "POST /api/admin/retry-failed/{job_id}": "OPERATE",
    "GET /api/admin/system-health": "OPERATE",
    "POST /api/admin/verify": "OPERATE",
    "GET /api/analytics/dashboard": "LEADS_READ",
    "GET /api/analytics/queue-health": "LEADS_READ",
    "GET /api/analytics/score-mutations": "LEADS_READ",
    "GET /api/analytics/throughput": "LEADS_READ",
    "POST /api/auth/accept-invitation": OPEN,
    "POST /api/auth/change-password": PEOPLE,
    "POST /api/auth/forgot-password": OPEN,
    "POST /api/auth/generate-api-key": "WRITE_KEYS",
    "POST /api/auth/google": OPEN,
    "POST /api/auth/login": OPEN,
    "POST /api/auth/logout": PEOPLE,
    "POST /api/auth/logout-all": PEOPLE,
    "GET /api/auth/me": PEOPLE,
    "PATCH /api/auth/me": PEOPLE,
    "GET /api/auth/options": OPEN,
    "GET /api/auth/project": "PROJECT_READ",
    "POST /api/auth/register": OPEN,
    "POST /api/auth/reset-password": OPEN,
    "GET /api/auth/sessions": PEOPLE,
    "DELETE /api/auth/sessions/{session_id}": PEOPLE,
    "POST /api/auth/switch-project": PEOPLE,
    "POST /api/auth/verify-email": PEOPLE,
    "GET /api/events": "LEADS_READ",
    "POST /api/events": EVENTS,
    "POST /api/events/batch": EVENTS,
    "POST /api/events/ingest": EVENTS,
    "GET /api/events/{event_id}": "LEADS_READ",
    "GET /api/health": OPEN,
    "GET /api/health/live": OPEN,
    "POST /api/ingest/batch": EVENTS,
    "POST /api/ingest/event": EVENTS,
    "GET /api/imports": "LEADS_WRITE",
    "GET /api/imports/{import_id}": "LEADS_WRITE",
    "GET /api/imports/{import_id}/rejected": "LEADS_WRITE",
    "GET /api/leaderboard": "LEADS_READ",
    "GET /api/leaderboard/by-stage": "LEADS_READ",
    "GET /api/leads": "LEADS_READ",
    "POST /api/leads": "LEADS_WRITE",
    "GET /api/leads/export": "LEADS_EXPORT",
    "POST /api/leads/import": "LEADS_WRITE",
    "GET /api/leads/leaderboard": "LEADS_READ",
    "GET /api/leads/{lead_id}": "LEADS_READ",
    "PATCH /api/leads/{lead_id}": "LEADS_WRITE",
    "DELETE /api/leads/{lead_id}": "LEADS_REMOVE",
    "POST /api/leads/{lead_id}/adjustments": "LEADS_WRITE",
    "POST /api/leads/{lead_id}/erase": "LEADS_REMOVE",
    "GET /api/leads/{lead_id}/changes": "LEADS_READ",
    "GET /api/leads/{lead_id}/explanation": "LEADS_READ",
    "GET /api/leads/{lead_id}/export": "PERSON_EXPORT",
    "GET /api/leads/{lead_id}/history": "LEADS_READ",
    "GET /api/leads/{lead_id}/intelligence": "LEADS_READ",
    "POST /api/leads/{lead_id}/merge": "LEADS_WRITE",
    "GET /api/leads/{lead_id}/merges": "LEADS_READ",
    "GET /api/leads/{lead_id}/timeline": "LEADS_READ",
    "POST /api/merges/{merge_id}/undo": "LEADS_WRITE",
    "GET /api/model": "LEADS_READ",
    "PUT /api/model": "RULES_WRITE",
    "POST /api/model/rescore": "RULES_WRITE",
    "GET /api/models": "LEADS_READ",
    "GET /api/notifications": "LEADS_READ",
    "POST /api/notifications": "LEADS_READ",
    "GET /api/models/{version}": "LEADS_READ",
    "GET /api/presets": "LEADS_READ",
    "GET /api/projects": "PROJECT_READ",
    "POST /api/projects": PEOPLE,
    "DELETE /api/projects/{project_id}": "PROJECT_DELETE",
    "GET /api/projects/{project_id}": "PROJECT_READ",
    "PATCH /api/projects/{project_id}": "PROJECT_WRITE",
    "GET /api/projects/{project_id}/audit-log": "AUDIT",
    "GET /api/projects/{project_id}/first-steps": "LEADS_READ",
    "PUT /api/projects/{project_id}/first-steps": "FIRST_STEPS",
    "GET /api/projects/{project_id}/identity-verification": "IDENTITY",
    "PUT /api/projects/{project_id}/identity-verification": "IDENTITY",
    "GET /api/projects/{project_id}/invitations": "MEMBERS_WRITE",
    "POST /api/projects/{project_id}/invitations": "MEMBERS_INVITE",
    "DELETE /api/projects/{project_id}/invitations/{invitation_id}": "MEMBERS_WRITE",
    "GET /api/projects/{project_id}/keys": "WRITE_KEYS",
    "POST /api/projects/{project_id}/keys": "WRITE_KEYS",
    "DELETE /api/projects/{project_id}/keys/{key_id}": "WRITE_KEYS",
    "PATCH /api/projects/{project_id}/keys/{key_id}": "WRITE_KEYS",
    "GET /api/projects/{project_id}/members": "MEMBERS_READ",
    # To leave; removing others takes more.
    "DELETE /api/projects/{project_id}/members/{user_id}": "MEMBERS_READ",
    "PATCH /api/projects/{project_id}/members/{user_id}": "MEMBERS_WRITE",
    # For its owners, whichever project they work in by now.
    "POST /api/projects/{project_id}/restore": PEOPLE,
    "GET /api/projects/{project_id}/retention": "RETENTION",
    "PUT /api/projects/{project_id}/retention": "RETENTION",
    "POST /api/projects/{project_id}/rotate-key": "WRITE_KEYS",
    "GET /api/projects/{project_id}/sample-data": "LEADS_READ",
    "POST /api/projects/{project_id}/sample-data": "PROJECT_WRITE",
    "DELETE /api/projects/{project_id}/sample-data": "PROJECT_WRITE",
    "GET /api/projects/{project_id}/suppressions": "SUPPRESSIONS",
    "DELETE /api/projects/{project_id}/suppressions/{suppression_id}": "SUPPRESSIONS",
    "GET /api/projects/{project_id}/test-leads": "LEADS_READ",
    "DELETE /api/projects/{project_id}/test-leads": "LEADS_REMOVE",
    "GET /api/rules": "LEADS_READ",
    "POST /api/rules": "RULES_WRITE",
    "GET /api/rules/stats": "LEADS_READ",
    "DELETE /api/rules/{rule_id}": "RULES_WRITE",
    "PUT /api/rules/{rule_id}": "RULES_WRITE",
    "GET /api/scoring-rules": "LEADS_READ",
    "POST /api/scoring-rules": "RULES_WRITE",
    "GET /api/scoring-rules/stats": "LEADS_READ",
    "DELETE /api/scoring-rules/{rule_id}": "RULES_WRITE",
    "PUT /api/scoring-rules/{rule_id}": "RULES_WRITE",
    "POST /api/simulator/events": "EVENTS_SEND",
    "GET /metrics": METRICS,
}


class Extra(NamedTuple):
    """A call that asks for more than its route does, by what it is about."""

    call: str
    needs: str
    body: dict[str, Any] | None = None


# {user_id} stands for a viewer, {owner_id} for one more owner, {secret_id} for a secret key.
EXTRAS: Final = (
    Extra("POST /api/projects/{project_id}/keys", "SECRET_KEYS", {"kind": "secret"}),
    Extra("PATCH /api/projects/{project_id}/keys/{secret_id}", "SECRET_KEYS", {"name": "x"}),
    Extra("DELETE /api/projects/{project_id}/keys/{secret_id}", "SECRET_KEYS"),
    Extra("POST /api/projects/{project_id}/rotate-key", "SECRET_KEYS", {"keyId": "{secret_id}"}),
    Extra("PATCH /api/projects/{project_id}/members/{user_id}", "OWNERSHIP", {"role": "owner"}),
    Extra(
        "PATCH /api/projects/{project_id}/members/{user_id}",
        "MEMBERS_WRITE",
        {"role": "admin"},
    ),
    Extra("PATCH /api/projects/{project_id}/members/{owner_id}", "OWNERSHIP", {"role": "admin"}),
    Extra("DELETE /api/projects/{project_id}/members/{owner_id}", "OWNERSHIP"),
    Extra("DELETE /api/projects/{project_id}/members/{user_id}", "MEMBERS_WRITE"),
)

# Fields and parameters that name something of a project; in a request of another one they find
# nothing, and a test says so of each. The second set names what callers make up themselves.
OF_A_PROJECT: Final = frozenset({"intoId", "keyId", "leadId", "projectId"})
MADE_UP: Final = frozenset(
    {"eventId", "userId", "anonymousId", "anonymousIds", "sessionId", "id", "messageId"}
)


class Credential(NamedTuple):
    """Something to call with, and what it stands for."""

    name: str
    kind: str  # nothing, bad, write, key, session
    token: str = ""
    scopes: frozenset[str] = frozenset()
    role: Role | None = None
    verified: bool = True


def refusal(needs: str, credential: Credential) -> int:
    """The status with which the table says a call is refused; 0: it is not."""
    if needs == OPEN:
        return 0
    if needs == METRICS or credential.kind in ("nothing", "bad"):
        return 401
    if needs == EVENTS and credential.kind == "session":
        return 401
    return 0 if _may(needs, credential) else 403


def _may(needs: str, credential: Credential) -> bool:
    kind, role = credential.kind, credential.role
    if needs == EVENTS:
        return kind == "write" or "events:write" in credential.scopes
    if needs == PEOPLE or kind == "write":
        return kind == "session"
    need = Permission[needs].value
    if kind == "key":
        return need.scope in credential.scopes
    if role is None or ROLES.index(role) < ROLES.index(need.role):
        return False
    return credential.verified or not need.verified


def documented() -> dict[str, dict[str, Any]]:
    """Every call of the API's description, like `GET /api/leads`."""
    return {
        f"{method.upper()} {path}": call
        for path, methods in document()["paths"].items()
        for method, call in methods.items()
    }
