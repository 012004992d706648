"""What clients send about projects, keys and members."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from leadpulse.domain.permissions import SCOPES
from leadpulse.http.deps import Instant, Text
from leadpulse.http.schemas import Email, Id, Sent
from leadpulse.usecases.project_keys import (
    DEFAULT_GRACE,
    HOUR,
    LONGEST_GRACE,
    MOST_ORIGINS,
)

Preset = Literal["leadpulse", "classic", "sales"]
Scope = Literal[
    "events:write", "leads:read", "leads:write", "leads:erase", "rules:write", "exports:read",
    "admin",
]  # fmt: skip
Invitable = Literal["viewer", "member", "admin"]
AnyRole = Literal["viewer", "member", "admin", "owner"]

ProjectName = Annotated[Text, Field(min_length=1, max_length=200)]
KeyName = Annotated[Text, Field(max_length=200)]
Domain = Annotated[Text, Field(min_length=1, max_length=253)]
TimeZone = Annotated[Text, Field(min_length=1, max_length=64)]
Origins = Annotated[
    list[Annotated[Text, Field(min_length=1, max_length=300)]], Field(max_length=MOST_ORIGINS)
]


class NewProject(Sent):
    """A project to make."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "Shop", "domain": "shop.example.com", "preset": "sales"}]
        }
    )

    name: ProjectName = Field(description="What people call it.")
    domain: Domain | None = Field(None, description="The website that it is about.")
    time_zone: TimeZone = Field("UTC", description="Where its people's days begin.")
    preset: Preset = Field("leadpulse", description="The model to start from.")


class ProjectChanges(Sent):
    """What to change about a project; what isn't given stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"timeZone": "Europe/Berlin"}]})

    name: ProjectName = Field(default_factory=str, description="What people call it.")
    domain: Domain | None = Field(None, description="The website that it is about; null: none.")
    time_zone: TimeZone = Field("UTC", description="Where its people's days begin.")
    active: bool = Field(
        default=True, description="False: event calls are answered 401 `project_paused`."
    )


class StepsSetting(Sent):
    """Whether the first steps are put away."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"dismissed": True}]})

    dismissed: bool = Field(description="true: whoever sends it doesn't want to see them.")


class IdentitySetting(Sent):
    """Whether claims of identity must be signed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"identityVerification": "on"}]})

    identity_verification: Literal["off", "on"] = Field(
        description="on: a write key's userId or email needs a good `userHash`."
    )
    new_secret: bool = Field(
        default=False, description="Make a new secret; the old one signs nothing any more."
    )


class NewKey(Sent):
    """A key to make."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"kind": "secret", "name": "CRM", "scopes": ["leads:read"]},
                {"kind": "write", "name": "Shop", "origins": ["https://x.example"]},
            ]
        }
    )

    kind: Literal["write", "secret"] = Field(
        description="write: public, sends events. secret: for servers, within its scopes."
    )
    name: KeyName = Field("", description="What people call it.")
    scopes: Annotated[list[Scope], Field(max_length=len(SCOPES))] | None = Field(
        None, description="What a secret key may do; default: the first three."
    )
    origins: Origins | None = Field(
        None, description="The only websites that may use a write key; none: any."
    )
    expires_at: Instant | None = Field(None, description="When it ends by itself.")


class KeyChanges(Sent):
    """What to change about a key; what isn't given stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"active": False}]})

    name: KeyName = Field("", description="What people call it.")
    origins: Origins = Field(
        default_factory=list, description="The only websites that may use it; none: any."
    )
    expires_at: Instant | None = Field(None, description="When it ends by itself; null: never.")
    active: bool = Field(default=True, description="False: switched off, until it is true again.")


class RotateKey(Sent):
    """Which key gets a successor, and how long it still works."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"graceHours": 48}]})

    key_id: Id | None = Field(None, description="The key; default: the write key in use.")
    grace_hours: float = Field(
        DEFAULT_GRACE / HOUR,
        ge=0,
        le=LONGEST_GRACE / HOUR,
        description="How long the old key works beside the new one.",
    )


class MemberChange(Sent):
    """Another role for a member."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "admin"}]})

    role: AnyRole = Field(description="What the member may do from now on.")
    transfer: bool = Field(
        default=False,
        description="With role owner: in your place; you stay as an admin.",
    )


class NewInvitation(Sent):
    """Whom to invite, and as what."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"email": "grace@example.com", "role": "member"}]}
    )

    email: Email = Field(description="The address; the invitation is good for it alone.")
    role: Invitable = Field("member", description="What the member may do.")


class Acceptance(Sent):
    """An invitation that somebody accepts."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "token": "zL5nEJ0bGc9vX0mTqkQk3c9o3lK2y4pW8aVdR1sYhUw",
                    "name": "Grace Hopper",
                    "password": "a phrase that nobody guesses",
                }
            ]
        }
    )

    token: Text = Field(min_length=1, max_length=200, description="Out of the link in the mail.")
    name: Annotated[Text, Field(min_length=1, max_length=200)] | None = Field(
        None, description="Your name, if you have no account yet."
    )
    password: Annotated[Text, Field(min_length=1, max_length=1024)] | None = Field(
        None, description="A password for it."
    )
