"""Mail through SMTP: taken on at once, sent beside, tried again when the server is busy.

What waits is in memory only: a link that was lost is asked for again. Nothing of a mail is ever
logged but its kind and what the server answered, as a number.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib
import structlog

from leadpulse.channels.templates import write

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from leadpulse.usecases.outside import MailKind

_log = structlog.get_logger("leadpulse.mail")

# Pauses before each further try, in seconds.
PAUSES: Final = (2.0, 15.0, 60.0, 300.0, 1_200.0)
# Seconds for one command, and for a mail as a whole.
_PATIENCE: Final = 15.0
_WHOLE: Final = 60.0
_AT_ONCE: Final = 2
_MOST: Final = 500
# What may be left to do at the end.
_FAREWELL: Final = 5.0
_TROUBLES: Final = (aiosmtplib.SMTPException, OSError, ValueError)
# What the library raises for a receiver that it can't read.
_UNWRITABLE: Final = (ValueError, MessageError, IndexError)
_NEAR: Final = ("localhost", "127.0.0.1", "::1")


class Server(NamedTuple):
    """A mail server. `tls`: from the start, by STARTTLS, or not at all (on this machine)."""

    host: str
    port: int
    tls: str
    sender: str
    user: str | None = None
    password: str | None = None


def server_of(url: str) -> Server:
    """The server that SMTP_URL names; the setting was checked."""
    parts = urlsplit(url)
    options = parse_qs(parts.query)
    host = parts.hostname or ""
    user = unquote(parts.username) if parts.username else None
    tls = "start" if parts.scheme == "smtps" else "no" if host in _NEAR else "upgrade"
    if options.get("tls") == ["off"]:
        tls = "no"
    port = parts.port or {"start": 465, "upgrade": 587, "no": 25}[tls]
    named = user if user is not None and "@" in user else f"leadpulse@{_domain(host)}"
    return Server(
        host, port, tls, options.get("from", [named])[0], user,
        unquote(parts.password) if parts.password else None,
    )  # fmt: skip


def _domain(host: str) -> str:
    for prefix in ("smtp.", "mail."):
        if host.startswith(prefix) and host.count(".") > 1:
            return host.removeprefix(prefix)
    return host


class MailQueue:
    """A `Mailer`. Without a server nothing is sent, and `ready` says so."""

    def __init__(
        self,
        server: Server | None,
        trust: ssl.SSLContext | None = None,
        *,
        pauses: Sequence[float] = PAUSES,
        patience: float = _PATIENCE,
        most: int = _MOST,
    ) -> None:
        self._server = server
        self._trust = trust
        self._pauses = tuple(pauses)
        self._patience = patience
        self._most = most
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._under_way: set[asyncio.Task[None]] = set()
        self.sent = 0
        self.given_up = 0

    @property
    def ready(self) -> bool:
        return self._server is not None

    def send(self, kind: MailKind, to: str, values: Mapping[str, str]) -> bool:
        """Takes a mail on; False without a server, a good address, or room for more."""
        if self._server is None:
            return False
        if len(self._under_way) >= self._most:
            self.given_up += 1
            _log.warning("too many mails wait; one was not taken on", kind=kind)
            return False
        try:
            message = _message(self._server, to, kind, values)
        except _UNWRITABLE as error:
            self.given_up += 1
            _log.error("a mail could not be written", kind=kind, error=type(error).__name__)
            return False
        task = asyncio.create_task(self._deliver(self._server, kind, message))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return True

    async def settle(self) -> None:
        """Waits until nothing is under way."""
        while self._under_way:
            await asyncio.wait([*self._under_way])

    async def close(self) -> None:
        """Lets what is being sent end, and gives up the rest."""
        if self._under_way:
            await asyncio.wait([*self._under_way], timeout=_FAREWELL)
        left = [*self._under_way]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        if left:
            _log.warning("mails were not sent before the end", count=len(left))

    async def _deliver(self, server: Server, kind: MailKind, message: EmailMessage) -> None:
        for number, pause in enumerate((*self._pauses, None), 1):
            try:
                async with self._slots, asyncio.timeout(_WHOLE):
                    await self._once(server, message)
            except _TROUBLES as error:
                told = {"kind": kind, "error": type(error).__name__, "answer": _code(error)}
                if pause is None or _is_final(error):
                    self.given_up += 1
                    _log.error("a mail could not be sent", tries=number, **told)
                    return
                _log.warning("a mail waits for another try", seconds=pause, **told)
                await asyncio.sleep(pause)
            else:
                self.sent += 1
                return

    async def _once(self, server: Server, message: EmailMessage) -> None:
        async with _greeted(server, self._trust, self._patience) as client:
            await client.send_message(message)


@asynccontextmanager
async def _greeted(
    server: Server, trust: ssl.SSLContext | None, patience: float
) -> AsyncIterator[aiosmtplib.SMTP]:
    """A connection that is encrypted, if it has to be, and logged in."""
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        timeout=patience,
        use_tls=server.tls == "start",
        start_tls=server.tls == "upgrade",
        tls_context=trust or ssl.create_default_context(),
    )
    async with client:
        if server.user is not None:
            await client.login(server.user, server.password or "")
        yield client


async def trouble(
    server: Server, trust: ssl.SSLContext | None = None, patience: float = _PATIENCE
) -> str | None:
    """What keeps mail from being sent, in few words; None if the server lets us in."""
    try:
        async with asyncio.timeout(2 * patience), _greeted(server, trust, patience):
            return None
    except _TROUBLES as error:
        code = _code(error)
        return type(error).__name__ if code is None else f"{type(error).__name__} {code}"


def _message(server: Server, to: str, kind: MailKind, values: Mapping[str, str]) -> EmailMessage:
    written = write(kind, values)
    name, address = parseaddr(server.sender)
    user, _, domain = address.rpartition("@")
    message = EmailMessage()
    message["From"] = Address(name or "LeadPulse", user, domain)
    message["To"] = Address(addr_spec=to)
    message["Subject"] = written.subject
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=domain)
    # So that nobody's "I am on holiday" answers.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(written.text)
    message.add_alternative(written.html, subtype="html")
    return message


def _code(error: BaseException) -> int | None:
    """The server's answer as a number; its words may repeat the address."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return error.recipients[0].code if error.recipients else None
    return error.code if isinstance(error, aiosmtplib.SMTPResponseException) else None


def _is_final(error: BaseException) -> bool:
    """True if the server will never take this mail; a wrong password may be put right."""
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return False
    code = _code(error)
    return code is not None and 500 <= code < 600
