"""What people send about their accounts."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from leadpulse.http.deps import Text
from leadpulse.http.schemas import Id, Sent
from leadpulse.usecases.accounts import LONGEST_EMAIL, LONGEST_NAME
from leadpulse.usecases.passwords import LONGEST, SHORTEST

_Email = Annotated[
    Text,
    Field(
        min_length=3, max_length=LONGEST_EMAIL, description="The email address.",
        examples=["ada@example.com"],
    ),
]  # fmt: skip
_Password = Annotated[
    Text, Field(min_length=1, max_length=LONGEST, description="The password.", examples=["…"])
]
_NewPassword = Annotated[
    Text,
    Field(
        max_length=LONGEST,
        description=f"{SHORTEST} characters or more, and not easy to guess.",
        examples=["four unrelated quiet words"],
    ),
]
_Token = Annotated[
    Text,
    Field(
        min_length=1, max_length=200, description="What stands in the link after `#token=`.",
        examples=["5h0DkQ…"],
    ),
]  # fmt: skip


class Registering(Sent):
    """Somebody wants an account."""

    email: _Email
    password: _NewPassword
    name: Text = Field(
        min_length=1, max_length=LONGEST_NAME, description="The person.", examples=["Ada Lovelace"]
    )
    company: Text | None = Field(
        None,
        max_length=LONGEST_NAME,
        description="What the first project is called.",
        examples=["Analytical Engines"],
    )


class ChangingMe(Sent):
    """What to change about one's own account."""

    name: Text = Field(
        min_length=1, max_length=LONGEST_NAME, description="The person.", examples=["Ada Lovelace"]
    )


class LoggingIn(Sent):
    """Somebody logs in."""

    email: _Email
    password: _Password


_IdToken = Annotated[
    Text,
    Field(
        min_length=1,
        max_length=8192,
        description="The ID token that Google gave to the page, made for our client id.",
        examples=["eyJhbGciOiJSUzI1NiIs…"],
    ),
]


class WithGoogle(Sent):
    """Somebody signs in with Google; `credential` is what Google's own script calls the token."""

    id_token: _IdToken | None = Field(None, description="The ID token.")
    credential: _IdToken | None = Field(None, description="The same, under Google's name.")
    company: Text | None = Field(
        None, max_length=LONGEST_NAME, description="What a first project is called."
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.id_token is None) == (self.credential is None):
            raise ValueError("send idToken or credential")
        return self

    @property
    def token(self) -> str:
        return self.id_token or self.credential or ""


class VerifyingEmail(Sent):
    """A link that proves an address; without a token another link is asked for."""

    token: _Token | None = Field(
        None, description="What stands in the link; without it another link is mailed."
    )


class ForgettingPassword(Sent):
    """Somebody forgot the password."""

    email: _Email


class ResettingPassword(Sent):
    """A new password by a link."""

    token: _Token
    password: _NewPassword


class ChangingPassword(Sent):
    """A new password by the old one."""

    current_password: _Password
    new_password: _NewPassword


class Switching(Sent):
    """To which project."""

    project_id: Id = Field(description="A project of which one is a member.")
