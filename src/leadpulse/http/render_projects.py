"""Projects, keys and members, as clients read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadpulse.http.render import when

if TYPE_CHECKING:
    from leadpulse.domain.permissions import Role
    from leadpulse.postgres.invitations import InvitationRow
    from leadpulse.postgres.members import MemberRow
    from leadpulse.postgres.project_keys import KeyRow
    from leadpulse.postgres.projects import Identity, ProjectSettings
    from leadpulse.usecases.project_keys import MadeKey, Rotated, State

Json = dict[str, Any]


def project(settings: ProjectSettings, role: Role | None) -> Json:
    """A project, with what the caller may do in it."""
    return {
        "id": settings.id,
        "name": settings.name,
        "domain": settings.domain,
        "timeZone": settings.time_zone,
        "active": not settings.paused,
        "preset": settings.preset,
        "role": role,
        "writeKey": settings.write_key,
        "createdAt": when(settings.created_at),
        "deletedAt": when(settings.deleted_at),
    }


def identity(found: Identity) -> Json:
    """Whether claims must be signed, and with what."""
    return {
        "identityVerification": "on" if found.demanded else "off",
        "secret": found.secret.hex(),
    }


def key(row: KeyRow, state: State) -> Json:
    """A key without its secret."""
    return {
        "id": row.id,
        "kind": row.kind,
        "name": row.name,
        "key": row.shown,
        "scopes": row.scopes,
        "origins": row.origins,
        "state": state,
        "createdAt": when(row.created_at),
        "createdBy": row.created_by,
        "expiresAt": when(row.expires_at),
        "revokedAt": when(row.revoked_at),
        "lastUsedAt": when(row.last_used_at),
    }


def rotated(done: Rotated) -> Json:
    """A new key, and until when the old one works."""
    made: MadeKey = done.made
    return {
        **made._asdict(),
        "apiKey": made.key,
        "oldId": done.old_id,
        "oldUntil": when(done.old_until),
    }


def member(row: MemberRow) -> Json:
    """A member."""
    return {
        "id": row.user_id,
        "email": row.email,
        "name": row.name,
        "role": row.role,
        "verified": row.verified,
        "disabled": row.disabled,
        "joinedAt": when(row.created_at),
    }


def invitation(row: InvitationRow) -> Json:
    """An invitation that waits."""
    return {
        "id": row.id,
        "email": row.email,
        "role": row.role,
        "invitedBy": row.inviter,
        "createdAt": when(row.created_at),
        "expiresAt": when(row.expires_at),
    }
