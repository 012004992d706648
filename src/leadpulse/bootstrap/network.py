"""The socket that the API listens on, bound before anything else is started."""

from __future__ import annotations

import errno
import socket
from typing import Final

import psutil

_BACKLOG: Final = 2048


class ListenError(Exception):
    """The address can't be listened on; the message says why and what to do."""


class StartFailed(Exception):
    """The API did not come up; its log says why."""


def listen(host: str, port: int, option: str = "--port") -> socket.socket:
    """Binds and listens; raises ListenError with a sentence. Port 0 takes any free one."""
    try:
        family, kind, number, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror:
        raise ListenError(f"{host} is no address of this machine. Give another --host.") from None
    bound = socket.socket(family, kind, number)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(_BACKLOG)
    except OSError as error:
        bound.close()
        raise ListenError(_sentence(error, host, port, option)) from None
    bound.settimeout(0)
    return bound


def inherited(number: int) -> socket.socket:
    """The socket that a parent process listens on and has handed down."""
    try:
        bound = socket.socket(fileno=number)
    except OSError:
        raise ListenError(f"{number} is not an open socket.") from None
    bound.settimeout(0)
    return bound


def url_of(bound: socket.socket) -> str:
    """Where a browser on this machine finds what listens on a socket."""
    name = bound.getsockname()
    host, port = str(name[0]), name[1]
    if host in ("127.0.0.1", "0.0.0.0", "::1", "::"):  # noqa: S104 - compared, not bound
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _sentence(error: OSError, host: str, port: int, option: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} is taken{_holder(port)}. Stop that one, or choose another port with "
            f"{option}."
        )
    if error.errno == errno.EACCES:
        return f"Port {port} may only be used by root. Choose one above 1023 with {option}."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine. Give another --host."
    return f"{host}:{port} can't be listened on: {error.strerror}."


def _holder(port: int) -> str:
    """Who listens on a port, as far as we may know."""
    try:
        for found in psutil.net_connections("tcp"):
            if found.status == psutil.CONN_LISTEN and found.laddr and found.laddr.port == port:
                if found.pid is None:
                    return ""
                return f" by process {found.pid} ({psutil.Process(found.pid).name()})"
    except (psutil.Error, OSError):
        return ""
    return ""
