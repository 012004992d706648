from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from leadpulse.demo.sender import EVENT_PATH, SendError, Target, bodies, send

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

Answer = tuple[int, dict[str, object], str]


class Server:
    """A real, small HTTP server that answers as it is told and remembers what it got."""

    def __init__(self, answer: Callable[[int], Answer | None]) -> None:
        self.answer = answer
        self.got: list[bytes] = []
        self.port = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                self.got.append(await reader.readexactly(length))
                given = self.answer(len(self.got))
                if given is None:
                    break
                status, document, extra = given
                body = json.dumps(document).encode()
                writer.write(
                    f"HTTP/1.1 {status} Word\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode()
                    + body
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(answer: Callable[[int], Answer | None]) -> AsyncIterator[Server]:
    server = Server(answer)
    listening = await asyncio.start_server(server.talk, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


def target(server: Server, **changes: object) -> Target:
    return Target(f"http://127.0.0.1:{server.port}", "pk_x", **changes)  # type: ignore[arg-type]


async def test_every_body_is_sent_once_over_all_connections() -> None:
    """Many bodies over several connections: each arrives once, and outcomes are added up."""
    outcome: dict[str, object] = {
        "accepted": 2, "duplicates": 1, "conflicts": 0, "rejected": [{"index": 3}],
    }  # fmt: skip
    async with serving(lambda _: (202, outcome, "")) as server:
        events = [{"event": "x", "eventId": str(number)} for number in range(100)]
        sent = await send(target(server), bodies(events, 4))
    got = [event for body in server.got for event in json.loads(body)["events"]]
    assert sorted(got, key=lambda event: int(event["eventId"])) == events
    assert (sent.accepted, sent.duplicates, sent.rejected, sent.events) == (50, 25, 25, 100)


@pytest.mark.parametrize("status", [429, 503])
async def test_busy_server_gets_the_same_body_again(status: int) -> None:
    """After 429 or 503 the same bytes come again, not before Retry-After."""
    fine: Answer = (202, {"accepted": 1}, "")

    def answer(number: int) -> Answer:
        return (status, {}, "Retry-After: 1\r\n") if number == 1 else fine

    async with serving(answer) as server:
        began = asyncio.get_running_loop().time()
        sent = await send(target(server, connections=1), [b'{"events":[1]}'])
        took = asyncio.get_running_loop().time() - began
    assert server.got[0] == server.got[1]
    assert (sent.accepted, sent.retried, sent.requests) == (1, 1, 2)
    assert took >= 1


async def test_broken_connection_is_made_anew() -> None:
    """A connection that breaks before the answer loses nothing."""

    def answer(number: int) -> Answer | None:
        return None if number == 1 else (202, {"status": "duplicate"}, "")

    async with serving(answer) as server:
        one = target(server, connections=1, path=EVENT_PATH)
        sent = await send(one, [b'{"event":"x"}'])
    assert len(server.got) == 2
    assert sent.duplicates == 1


async def test_refusal_is_a_sentence() -> None:
    """A wrong key ends the sending with what the server said."""
    async with serving(lambda _: (401, {"detail": "This key is not known."}, "")) as server:
        with pytest.raises(SendError, match=r"401.*not known"):
            await send(target(server), [b"{}"])


async def test_absent_server_is_a_sentence() -> None:
    """Nobody there: after the patience is over, a sentence says so."""
    nobody = Target("http://127.0.0.1:9", "pk_x", connections=1, patience=0.2)
    with pytest.raises(SendError, match="Is the server running"):
        await send(nobody, [b"{}"])
