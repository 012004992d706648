"""A real mail server on this machine, which keeps what it gets and can be told to refuse."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

_LINK = re.compile(r"https?://\S+#token=(\S+)")


@dataclass
class Postbox:
    """What came; `answers` are given first, one for each mail, instead of taking it."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    connections: int = 0
    encrypted: list[bool] = field(default_factory=list)
    authenticated: list[bool] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def handle_RCPT(  # noqa: N802 - the server's names
        self, _: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.answers:
            return self.answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - likewise
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        wire = None if server.transport is None else server.transport.get_extra_info("ssl_object")
        self.encrypted.append(session.ssl is not None or wire is not None)
        self.authenticated.append(bool(session.authenticated))
        async with self.arrived:
            self.mails.append(mail)
            self.arrived.notify_all()
        return "250 OK"

    async def mail(self, number: int = 1, seconds: float = 20) -> EmailMessage:
        """The mail with this number, once it has come."""
        async with asyncio.timeout(seconds), self.arrived:
            await self.arrived.wait_for(lambda: len(self.mails) >= number)
        return self.mails[number - 1]


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def html_of(mail: EmailMessage) -> str:
    part = mail.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def token_of(mail: EmailMessage) -> str:
    """What the link in a mail carries."""
    found = _LINK.search(text_of(mail))
    assert found is not None, text_of(mail)
    return found.group(1)


@dataclass(frozen=True)
class Trust:
    """An authority that tests believe, with a certificate for this machine."""

    server: ssl.SSLContext
    client: ssl.SSLContext


def trust(*names: str) -> Trust:
    """Certificates for these names, and who believes them."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or ("localhost", "127.0.0.1"))).configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return Trust(server, client)


@asynccontextmanager
async def postbox(
    *,
    start: ssl.SSLContext | None = None,
    upgrade: ssl.SSLContext | None = None,
    login: tuple[str, str] | None = None,
) -> AsyncIterator[Postbox]:
    """A server: with TLS from the start, or by STARTTLS, or without; with a login or not."""
    box = Postbox()

    def check(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == login, handled=False)

    def protocol() -> SMTP:
        box.connections += 1
        return SMTP(
            box, hostname="postbox", tls_context=upgrade, require_starttls=upgrade is not None,
            auth_require_tls=False,
            authenticator=None if login is None else check,
            loop=asyncio.get_running_loop(),
        )  # fmt: skip

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, ssl=start)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
        await server.wait_closed()
