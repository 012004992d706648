"""Hints through Valkey or Redis: a channel for each project, free when nobody listens.

What is sent there tells ids, scores and types of events; whoever can send there can make pages
ask again, and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

_log = structlog.get_logger("leadpulse.hints")

_PREFIX: Final = "leadpulse:hints:"
_PATIENCE: Final = 2.0
_RECONNECT: Final = (0.05, 0.1, 0.2, 0.5, 1.0)
# A connection that died without a word is noticed after this.
_LOOK_EVERY: Final = 5.0
# Something to be subscribed to while nothing is watched.
_NOTHING: Final = f"{_PREFIX}none"


def plain(url: str) -> str:
    """The address under the names that the client knows."""
    for name, known in (("valkeys://", "rediss://"), ("valkey://", "redis://")):
        if url.startswith(name):
            return known + url.removeprefix(name)
    return url


def _client(url: str) -> Redis:
    return Redis.from_url(
        plain(url),
        socket_timeout=_PATIENCE,
        socket_connect_timeout=_PATIENCE,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
    )


class ValkeyOutlet:
    """Sends to every API process that has pages of a project open."""

    def __init__(self, url: str) -> None:
        self._client = _client(url)

    async def watched(self, projects: Sequence[str]) -> set[str]:
        """Those of these projects to whose channel somebody listens."""
        with _as_outage():
            found = await self._client.pubsub_numsub(*[f"{_PREFIX}{p}" for p in projects])
        return {p for p, (_, number) in zip(projects, found, strict=True) if number}

    async def send(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Sends messages to the channels of their projects."""
        with _as_outage():
            async with self._client.pipeline(transaction=False) as pipe:
                for project_id, message in messages:
                    pipe.publish(f"{_PREFIX}{project_id}", message)
                await pipe.execute()

    async def close(self) -> None:
        with contextlib.suppress(RedisError, OSError):
            await self._client.aclose()


class ValkeyInlet:
    """Listens to the channels of the projects that are watched."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._watched: set[str] = set()
        self._pubsub: PubSub | None = None
        self._confirmed: dict[str, asyncio.Event] = {}
        self._began = False
        self.up = False

    async def run(self, heard: Callable[[bytes | str], None], missed: Callable[[], None]) -> None:
        """Listens for ever. After an outage `missed` is called: much may have been sent."""
        failures = 0
        while True:
            client = _client(self._url)
            try:
                async with client.pubsub() as pubsub:
                    await pubsub.subscribe(_NOTHING, *[f"{_PREFIX}{p}" for p in self._watched])
                    self._pubsub, self.up = pubsub, True
                    if self._began:
                        missed()
                    self._began, failures = True, 0
                    await self._listen(pubsub, heard)
            except (RedisError, OSError, TimeoutError) as error:
                if not failures and self._began:
                    _log.warning("listening_stopped", error=error)
            finally:
                self._pubsub, self.up = None, False
                with contextlib.suppress(RedisError, OSError):
                    await client.aclose()
            await asyncio.sleep(_RECONNECT[min(failures, len(_RECONNECT) - 1)])
            failures += 1

    async def watch(self, project_id: str) -> None:
        """Returns when a project's channel is listened to. Raises OSError when Valkey is away.

        Who listens again after an outage listens to it then.
        """
        self._watched.add(project_id)
        if self._pubsub is None:
            return
        channel = f"{_PREFIX}{project_id}"
        confirmed = self._confirmed.setdefault(channel, asyncio.Event())
        with _as_outage():
            await self._pubsub.subscribe(channel)
            async with asyncio.timeout(_PATIENCE):
                await confirmed.wait()

    async def unwatch(self, project_id: str) -> None:
        """Listens to a project's channel no longer."""
        self._watched.discard(project_id)
        channel = f"{_PREFIX}{project_id}"
        self._confirmed.pop(channel, None)
        if self._pubsub is not None:
            with _as_outage():
                await self._pubsub.unsubscribe(channel)

    async def _listen(self, pubsub: PubSub, heard: Callable[[bytes | str], None]) -> None:
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            message = await pubsub.get_message(timeout=_LOOK_EVERY)
            if message is None:
                if loop.time() - last > 3 * _LOOK_EVERY:
                    raise ConnectionError("Valkey does not answer.")
                await pubsub.ping()
                continue
            last = loop.time()
            if message["type"] == "message":
                heard(message["data"])
            elif message["type"] == "subscribe":
                found = self._confirmed.pop(message["channel"].decode(), None)
                if found is not None:
                    found.set()


@contextlib.contextmanager
def _as_outage() -> Iterator[None]:
    """Those who use it know neither this client nor its errors."""
    try:
        yield
    except RedisError as error:
        raise OSError(f"Valkey is away: {error}") from error
