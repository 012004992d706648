"""What mails say, in text and in HTML. No picture, no script, nothing that is fetched."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leadpulse.usecases.outside import MailKind


class Template(NamedTuple):
    """A mail: `button` is what its link is called; `after` stands below it, smaller."""

    subject: str
    before: tuple[str, ...]
    button: str | None = None
    after: tuple[str, ...] = ()


class Written(NamedTuple):
    """A mail that only lacks its sender and receiver."""

    subject: str
    text: str
    html: str


# Mail programs make a link of what has a dot inside.
_NO_LINK: Final = re.compile(r"[:/\\@<>]+|\.(?=\S)")
_LONGEST_NAME: Final = 80
_NOT_YOU: Final = "If this wasn't you, there is nothing to do: without the link nothing happens."

TEMPLATES: Final[dict[MailKind, Template]] = {
    "verify": Template(
        "Is this your address?",
        (
            "Hello,",
            (
                "you have a LeadPulse account with this address. Tell us that it is yours, and you "
                "can invite people and make secret keys."
            ),
        ),
        "Yes, it is mine",
        (
            "The link works once, for {good_for}, when you are logged in.",
            (
                "If you have made no account, don't log in with a password that somebody gives "
                "you. There is nothing to do: without the link nothing happens."
            ),
        ),
    ),
    "reset": Template(
        "A new password for LeadPulse",
        ("Hello,", "somebody, you we hope, wants to set a new password for your account."),
        "Set a new password",
        ("The link works once, for {good_for}.", _NOT_YOU),
    ),
    "invitation": Template(
        "{inviter} invites you to {project}",
        (
            "Hello,",
            (
                "{inviter} would like to work with you on the project {project} in LeadPulse. You "
                "would be there as: {role}."
            ),
        ),
        "Accept the invitation",
        (
            "The link works once, for {good_for}.",
            "If you don't know who that is, leave it: without the link nothing happens.",
        ),
    ),
    "password_changed": Template(
        "Your password was changed",
        (
            "Hello,",
            (
                "the password of your LeadPulse account was changed just now, and everybody who "
                "was logged in elsewhere is logged out."
            ),
            (
                "If this wasn't you, ask for a new password at once, and tell whoever runs your "
                "LeadPulse."
            ),
        ),
    ),
    "address_taken": Template(
        "You have an account already",
        (
            "Hello,",
            (
                "somebody, perhaps you, wanted to register at LeadPulse with this address. It has "
                "an account already, and nothing about it was changed."
            ),
        ),
        "Log in",
        ("If you forgot the password, you can set a new one there.",),
    ),
    "google_joined": Template(
        "You can sign in with Google now",
        (
            "Hello,",
            (
                "your Google account was joined to your LeadPulse account: from now on you can use "
                "it to sign in."
            ),
            "If this wasn't you, tell whoever runs your LeadPulse.",
        ),
    ),
}


def write(kind: MailKind, values: Mapping[str, str]) -> Written:
    """A mail of this kind. Raises KeyError when a value is missing."""
    template = TEMPLATES[kind]
    plain = {n: value if n == "link" else _name(value) for n, value in values.items()}
    safe = {name: escape(value) for name, value in plain.items()}
    link = plain["link"] if template.button is not None else None
    return Written(
        template.subject.format_map(plain)[:200],
        _text(template, plain, link),
        _html(template, safe, link),
    )


def _name(value: str) -> str:
    """What somebody calls himself or his project, so that it can't pass for a link of ours.

    Anybody can have us write to anybody; what he may say there is little.
    """
    return " ".join(_NO_LINK.sub(" ", value)[:_LONGEST_NAME].split())


def _text(template: Template, values: Mapping[str, str], link: str | None) -> str:
    parts = [line.format_map(values) for line in template.before]
    if link is not None:
        parts.append(f"{template.button}:\n{link}")
    parts += [line.format_map(values) for line in template.after]
    return "\n\n".join([*parts, "LeadPulse"]) + "\n"


_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
</head>
<body style="margin:0;padding:24px 12px;background:#f2f4f7;color:#1c2430;\
font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif">
<div style="max-width:520px;margin:0 auto;padding:28px 32px;background:#ffffff;\
border:1px solid #dfe4ea;border-radius:10px">
<p style="margin:0 0 20px;font-weight:700;letter-spacing:.02em;color:#0b6b57">LeadPulse</p>
{body}
</div>
</body>
</html>
"""
_LINE: Final = '<p style="margin:0 0 16px">{}</p>'
_SMALL: Final = '<p style="margin:0 0 8px;font-size:14px;color:#5b6675">{}</p>'
_BUTTON: Final = (
    '<p style="margin:24px 0"><a href="{link}" style="display:inline-block;padding:11px 20px;'
    "border-radius:7px;background:#0b6b57;color:#ffffff;text-decoration:none;"
    'font-weight:600">{name}</a></p>\n'
    '<p style="margin:0 0 16px;font-size:14px;color:#5b6675;word-break:break-all">'
    "Or open this address: {link}</p>"
)


def _html(template: Template, values: Mapping[str, str], link: str | None) -> str:
    parts = [_LINE.format(line.format_map(values)) for line in template.before]
    if link is not None:
        parts.append(_BUTTON.format(link=escape(link), name=template.button))
    parts += [_SMALL.format(line.format_map(values)) for line in template.after]
    return _PAGE.format(title=template.subject.format_map(values), body="\n".join(parts))
