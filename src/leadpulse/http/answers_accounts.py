"""What calls about accounts answer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from leadpulse.domain.permissions import Role
from leadpulse.http.answers import Answer, Time


class Person(Answer):
    """An account, for its owner."""

    id: str = Field(description="Its id.")
    email: str = Field(description="Its address.")
    name: str = Field(description="The person's name.")
    email_verified: bool = Field(description="Whether the address is known to be the person's.")
    operator: bool = Field(description="May see figures of the whole installation.")
    has_password: bool = Field(description="Without one it signs in with Google only.")


class OwnProject(Answer):
    """A project, for one of its members."""

    id: str = Field(description="Its id.")
    name: str = Field(description="Its name.")
    role: Role = Field(description="What one is in it.")
    write_key: str | None = Field(description="The public key to use; null if none works.")
    deleted_at: Time | None = Field(
        description="Since when it is deleted; an owner can restore it for seven days."
    )


class EntryOptions(Answer):
    """How one gets in here."""

    signup: Literal["first", "open", "closed"] = Field(
        description="Who may make an account: the first to come, anybody, nobody."
    )
    registration_open: bool = Field(description="Whether somebody can register now.")
    google_client_id: str | None = Field(
        description="For Google's button; null: signing in with Google is not set up."
    )
    mail: bool = Field(description="Whether mail is sent, as for a forgotten password.")


class LoggedIn(Answer):
    """A session has begun, or moved to another project."""

    token: str = Field(
        description="For `Authorization: Bearer`; also set as a cookie.",
        examples=["eyJhbGciOiJIUzI1NiIs…"],
    )
    csrf_token: str = Field(
        description="For `X-CSRF-Token`, with changes by cookie.", examples=["6b1f…"]
    )
    user: Person = Field(description="Who is logged in.")
    project: OwnProject | None = Field(
        description="In which project the session works; null while one has none."
    )


class Me(Answer):
    """Who is logged in."""

    user: Person = Field(description="The account.")
    project: OwnProject | None = Field(
        description="In which project the session works; null while one has none."
    )
    projects: list[OwnProject] = Field(description="All of which one is a member.")
    csrf_token: str = Field(description="For `X-CSRF-Token`, with changes by cookie.")


class SessionProject(Answer):
    """The project in which a session works."""

    id: str = Field(description="Its id.")
    name: str = Field(description="Its name.")
    domain: str | None = Field(description="Its website.")
    active: bool = Field(description="False: paused, no events are taken.")
    write_key: str | None = Field(description="The public key to use; null if none works.")
    api_key: str | None = Field(description="The same, for older clients.")


class OwnSession(Answer):
    """A session of one's own."""

    id: str = Field(description="Its id.")
    current: bool = Field(description="The one that asks.")
    created_at: Time = Field(description="Since when.")
    last_seen_at: Time = Field(description="When it was used last, give or take a minute.")
    expires_at: Time = Field(description="When it ends.")
    address: str | None = Field(description="From where one logged in.")
    agent: str | None = Field(description="With which program.")


class OwnSessions(Answer):
    """One's sessions, the one seen last first."""

    sessions: list[OwnSession] = Field(description="Those that run; 100 at most.")
    next_cursor: None = Field(description="All of them are here.")


class Told(Answer):
    """It was done."""

    success: Literal[True] = Field(description="For older clients.")
    message: str = Field(description="What was done.")
