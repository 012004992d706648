"""Mail to a real server: with and without TLS, refused, put off, never answered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog

from leadpulse.channels.mail import MailQueue, Server, server_of, trouble
from leadpulse.channels.templates import TEMPLATES, write
from support.postbox import Postbox, html_of, postbox, token_of, trust

VALUES = {
    "link": "https://app.example.com/verify-email#token=secret-token-1",
    "good_for": "three days",
    "inviter": "Ada",
    "project": "Engines",
    "role": "admin",
}


@asynccontextmanager
async def queue(
    box: Postbox, *, tls: str = "no", pauses: tuple[float, ...] = (0.05, 0.05), **options: Any
) -> AsyncIterator[MailQueue]:
    """Mail that goes to a postbox."""
    login = options.pop("login", (None, None))
    server = Server("localhost", box.port, tls, "LeadPulse <hello@example.com>", *login)
    made = MailQueue(server, pauses=pauses, **options)
    yield made
    await made.close()


async def test_a_mail_arrives_in_text_and_html() -> None:
    """With sender, receiver, date, and nobody's holiday notice to come back."""
    async with postbox() as box, queue(box) as mail:
        assert mail.ready
        assert mail.send("verify", "ada@example.org", VALUES)
        came = await box.mail()
    assert came["To"] == "ada@example.org"
    assert came["From"] == "LeadPulse <hello@example.com>"
    assert came["Subject"] == TEMPLATES["verify"].subject
    assert came["Auto-Submitted"] == "auto-generated"
    assert came["Date"]
    assert came["Message-ID"].endswith("@example.com>")
    assert token_of(came) == "secret-token-1"
    assert f'href="{VALUES["link"]}"' in html_of(came)


@pytest.mark.parametrize("kind", sorted(TEMPLATES))
def test_every_mail_can_be_written(kind: Any) -> None:
    """Each names its link in both forms, fetches nothing, and runs nothing."""
    written = write(kind, VALUES)
    assert "{" not in written.text + written.subject
    for foreign in ("<img", "<script", "<link", "url(", "@import"):
        assert foreign not in written.html
    if TEMPLATES[kind].button is not None:
        assert VALUES["link"] in written.text
        assert VALUES["link"] in written.html


def test_what_people_call_themselves_is_no_link_and_no_markup() -> None:
    """Anybody can have us write to anybody: a name carries no address and no header."""
    name = 'Win at https://evil.example/x <b onclick="x">now</b>\r\nBcc: all@example.org {role}'
    written = write("invitation", {**VALUES, "inviter": name, "project": "www.evil.example"})
    for text in (written.text, written.html, written.subject):
        assert "evil.example" not in text
        assert "<b" not in text.replace("<body", "")
        assert "all@" not in text
    assert "\n" not in written.subject


async def test_tls_from_the_start_and_by_starttls() -> None:
    """Certificates are checked, and login and mail go encrypted."""
    ours = trust()
    login = ("me@example.com", "pass word")
    for tls, server in (("start", {"start": ours.server}), ("upgrade", {"upgrade": ours.server})):
        async with (
            postbox(**server, login=login) as box,
            queue(box, tls=tls, trust=ours.client, login=login) as mail,
        ):
            mail.send("verify", "ada@example.org", VALUES)
            await box.mail()
            await mail.settle()
        assert (box.encrypted, box.authenticated, mail.sent) == ([True], [True], 1)


@pytest.mark.parametrize("why", ["unknown authority", "other name", "no TLS there"])
async def test_a_server_that_may_be_another_gets_nothing(why: str) -> None:
    """Neither password nor mail goes to whom nobody vouches for."""
    ours = trust("other.example.com") if why == "other name" else trust()
    client = trust().client if why == "unknown authority" else ours.client
    tls = None if why == "no TLS there" else ours.server
    login = ("me", "secret")
    async with (
        postbox(upgrade=tls, login=login) as box,
        queue(box, tls="upgrade", trust=client, pauses=(), login=login) as mail,
    ):
        mail.send("verify", "ada@example.org", VALUES)
        await mail.settle()
    assert (box.mails, mail.sent, mail.given_up) == ([], 0, 1)


async def test_what_is_put_off_is_tried_again() -> None:
    """A busy server gets the mail later, once."""
    async with postbox() as box, queue(box) as mail:
        box.answers += ["451 4.3.0 busy", "421 4.3.2 going away"]
        mail.send("verify", "ada@example.org", VALUES)
        await box.mail()
        await mail.settle()
    assert len(box.mails) == 1
    assert box.connections == 3


async def test_what_is_refused_for_good_is_not_tried_again() -> None:
    """No such receiver: the mail is given up at once, others go on."""
    async with postbox() as box, queue(box) as mail:
        box.answers.append("550 5.1.1 no such user")
        mail.send("verify", "nobody@example.org", VALUES)
        await mail.settle()
        mail.send("verify", "ada@example.org", VALUES)
        await mail.settle()
    assert (box.connections, len(box.mails), mail.sent, mail.given_up) == (2, 1, 1, 1)


async def test_a_wrong_password_is_no_reason_to_throw_mail_away() -> None:
    """It is tried as often as for any other trouble."""
    async with (
        postbox(login=("me", "right")) as box,
        queue(box, login=("me", "wrong")) as mail,
    ):
        mail.send("verify", "ada@example.org", VALUES)
        await mail.settle()
    assert (box.connections, box.mails, mail.given_up) == (3, [], 1)


async def test_a_server_that_never_answers_is_given_up() -> None:
    """Each try ends in time; nobody who asked for a mail ever waits for it."""
    gone: list[asyncio.StreamWriter] = []

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        gone.append(writer)

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    box = Postbox(port=server.sockets[0].getsockname()[1])
    async with asyncio.timeout(20), queue(box, pauses=(0.05,), patience=0.3) as mail:
        assert mail.send("verify", "ada@example.org", VALUES)
        await mail.settle()
        assert mail.given_up == 1
    assert len(gone) == 2
    for writer in gone:
        writer.close()
    server.close()
    await server.wait_closed()


async def test_without_a_server_nothing_is_taken_on() -> None:
    """Nor with more mail waiting than there is room for."""
    assert not MailQueue(None).ready
    assert not MailQueue(None).send("verify", "ada@example.org", VALUES)
    async with postbox() as box:
        port = box.port
    async with queue(Postbox(port=port), pauses=(60.0,), most=5) as mail:
        taken = [mail.send("verify", "ada@example.org", VALUES) for _ in range(6)]
        assert taken.count(False) == 1
        for task in [*mail._under_way]:
            task.cancel()


async def test_what_cannot_be_written_is_not_taken_on() -> None:
    """Whoever lets a mail be sent has done his work by then: nothing is thrown at him."""
    async with postbox() as box, queue(box) as mail:
        for odd in ("=?utf-8?q?x?=@example.com", "=?a?q?x?=@a.example", "a@b\r\nBcc: c@d.example"):
            assert not mail.send("verify", odd, VALUES)
        assert mail.given_up == 3
        await mail.settle()
    assert box.connections == 0


async def test_nothing_of_a_mail_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Neither link nor address, whatever the server says of them."""
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as lines:
        async with postbox() as box, queue(box) as mail:
            box.answers += ["451 4.3.0 ada@example.org is busy", "550 ada@example.org unknown"]
            mail.send("reset", "ada@example.org", VALUES)
            await mail.settle()
    assert len(lines) == 2
    # The server in the same process has a log of its own.
    own = [record.getMessage() for record in caplog.records if record.name != "mail.log"]
    told = f"{lines} {own}"
    assert "ada@" not in told
    assert "secret-token" not in told


def test_the_setting_is_read() -> None:
    """TLS from the start, STARTTLS, or this very machine; the sender as it is named."""
    read = server_of("smtps://me%40example.com:p%40ss@smtp.example.com")
    assert read == Server(
        "smtp.example.com", 465, "start", "me@example.com", "me@example.com", "p@ss"
    )
    assert server_of("smtp://u:p@mail.example.com")[:4] == (
        "mail.example.com", 587, "upgrade", "leadpulse@example.com",
    )  # fmt: skip
    assert server_of("smtp://localhost:2525?from=LP%20%3Ca@b.example%3E")[:4] == (
        "localhost", 2525, "no", "LP <a@b.example>",
    )  # fmt: skip


async def test_whether_mail_can_be_sent_is_found_out_without_sending_any() -> None:
    """`doctor` asks the server, and tells what is wrong by its kind."""
    ours, login = trust(), ("me", "right")
    async with postbox(upgrade=ours.server, login=login) as box:
        right = Server("localhost", box.port, "upgrade", "a@example.com", *login)
        assert await trouble(right, ours.client) is None
        wrong = right._replace(password="wrong")
        assert await trouble(wrong, ours.client) == "SMTPAuthenticationError 535"
        assert "right" not in str(await trouble(right))
        assert await trouble(right) is not None
    assert await trouble(right, ours.client) == "SMTPConnectError"
    assert box.mails == []
