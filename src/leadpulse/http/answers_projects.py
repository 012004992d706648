"""What calls about projects, keys and members answer."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from leadpulse.http.answers import Answer, Listed, Time
from leadpulse.http.schemas_projects import AnyRole, Invitable, Preset, Scope


class Project(Answer):
    """A project as its members see it."""

    id: str = Field(description="Its id.")
    name: str = Field(description="What people call it.")
    domain: str | None = Field(description="The website that it is about.")
    time_zone: str = Field(description="Where its people's days begin.")
    active: bool = Field(description="False: paused, it takes no events.")
    preset: Preset = Field(description="The model that it started from.")
    role: AnyRole | None = Field(description="What you may do in it; null for a key.")
    write_key: str | None = Field(description="The write key to use; null if none works.")
    created_at: Time = Field(description="When it was made.")
    deleted_at: Time | None = Field(description="When it was deleted; undone within 7 days.")


class Projects(Listed):
    """Projects."""

    projects: list[Project] = Field(description="The oldest first.")


class IdentityVerification(Answer):
    """Whether claims of identity must be signed."""

    identity_verification: Literal["off", "on"] = Field(description="Whether they must.")
    secret: str = Field(
        description="`userHash` is the hex HMAC-SHA256 of the userId, else of the email, with "
        "this text as the key. Keep it on your server."
    )


KeyKind = Literal["write", "secret"]


class Key(Answer):
    """A key, without its secret."""

    id: str = Field(description="Its id.")
    kind: KeyKind = Field(description="write or secret.")
    name: str = Field(description="What people call it.")
    key: str | None = Field(description="A write key in full; null for a secret one.")
    scopes: list[Scope] = Field(description="What a secret key may do.")
    origins: list[str] = Field(description="The only websites that may use it; none: any.")
    state: Literal["active", "off", "expired", "revoked"] = Field(
        description="What can be done with it: off may be switched on again."
    )
    created_at: Time = Field(description="When it was made.")
    created_by: str | None = Field(description="Who made it: user:, key:, or cli.")
    expires_at: Time | None = Field(description="When it ends by itself.")
    revoked_at: Time | None = Field(description="When it was revoked.")
    last_used_at: Time | None = Field(description="When it was last used, to the minute.")


class Keys(Listed):
    """Keys."""

    keys: list[Key] = Field(description="The oldest first, those out of use included.")


class MadeKey(Answer):
    """A new key."""

    id: str = Field(description="Its id.")
    kind: KeyKind = Field(description="write or secret.")
    name: str = Field(description="What people call it.")
    key: str = Field(description="The key. A secret one is shown this once only.")


class RotatedKey(MadeKey):
    """A new key in the place of another one."""

    api_key: str = Field(description="The key again, for older clients.")
    old_id: str = Field(description="The key that it follows.")
    old_until: Time = Field(description="Until when the old one works.")


class ApiKey(Answer):
    """A new write key."""

    api_key: str = Field(description="The key.")


class Member(Answer):
    """A member of a project."""

    id: str = Field(description="The user's id.")
    email: str = Field(description="The address.")
    name: str = Field(description="The name.")
    role: AnyRole = Field(description="What the member may do.")
    verified: bool = Field(description="The address is known to be the member's own.")
    disabled: bool = Field(description="The account is disabled.")
    joined_at: Time = Field(description="Since when.")


class Members(Listed):
    """Members."""

    members: list[Member] = Field(description="The oldest first.")


class Invitation(Answer):
    """An invitation that waits."""

    id: str = Field(description="Its id.")
    email: str = Field(description="Whom it is for.")
    role: Invitable = Field(description="What the member will be able to do.")
    invited_by: str | None = Field(description="Who invited, by address.")
    created_at: Time = Field(description="When it was made.")
    expires_at: Time = Field(description="Until when it can be accepted.")


class Invitations(Listed):
    """Invitations that wait."""

    invitations: list[Invitation] = Field(description="The oldest first.")


class MadeInvitation(Invitation):
    """An invitation that was just made."""

    mailed: bool = Field(
        description="False: no mail can be sent; `leadpulse members invite` shows the link."
    )


class AuditLine(Answer):
    """What somebody did."""

    id: str = Field(description="Its id.")
    at: Time = Field(description="When.")
    actor: str = Field(description="Who: user:<id>, key:<id>, cli or system.")
    actor_name: str | None = Field(description="The address of a user at that time.")
    action: str = Field(description="What, like member.role_changed.")
    target: str | None = Field(description="To what, like member:<id>.")
    details: dict[str, Any] = Field(description="What it was, and from what to what.")
    address: str | None = Field(description="From which address.")
    request_id: str | None = Field(description="In which request.")


class AuditLog(Listed):
    """What was done in a project."""

    entries: list[AuditLine] = Field(description="Newest first.")
