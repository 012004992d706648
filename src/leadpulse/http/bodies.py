"""Request bodies: read within limits of size and time, inflated within a limit, decoded.

Nothing here looks at Content-Type: clients send JSON under all sorts of names.
"""

from __future__ import annotations

import asyncio
import json
import math
import zlib
from typing import TYPE_CHECKING, Any, Final

import msgspec

from leadpulse.domain.errors import Malformed, TooLarge, TooSlow, UnreadableEncoding

if TYPE_CHECKING:
    from leadpulse.http.services import Receive

# In the scope of a request whose body is here as a whole: nobody has to wait for it.
WHOLE: Final = "leadpulse.whole"
MAX_WIRE: Final = 5 * 1024 * 1024
MAX_INFLATED: Final = 10 * 1024 * 1024
PATIENCE: Final = 30.0
_MOST_ENCODINGS: Final = 3
# A body may be several gzip files in a row; what is left is copied after each of them.
_MOST_MEMBERS: Final = 100
# Beyond this an integer is no double any more, and Python is slow to read it.
_LONGEST_INT: Final = 400
# From here on, unpacking would hold up everybody else for milliseconds.
_LARGE: Final = 64 * 1024

_decode: Final = msgspec.json.Decoder().decode


class Disconnected(Exception):
    """The client is gone before its request was complete."""


async def read_body(receive: Receive, length: bytes | None, *, whole: bool = False) -> bytes:
    """The body as it came. Raises TooLarge, TooSlow or Disconnected."""
    if length is not None and length.isdigit() and int(length[:12]) > MAX_WIRE:
        raise TooLarge(f"The body has more than {MAX_WIRE} bytes.")
    if whole:
        return await _read(receive)  # a clock costs more than reading what is here
    try:
        async with asyncio.timeout(PATIENCE):
            return await _read(receive)
    except TimeoutError:
        raise TooSlow(f"The body was not complete after {PATIENCE:.0f} seconds.") from None


async def _read(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        part = message.get("body", b"")
        size += len(part)
        if size > MAX_WIRE:
            raise TooLarge(f"The body has more than {MAX_WIRE} bytes.")
        parts.append(part)
        if not message.get("more_body"):
            return part if len(parts) == 1 else b"".join(parts)


async def unpack(body: bytes, encoding: str) -> bytes:
    """Undoes a Content-Encoding. Raises UnreadableEncoding, TooLarge or Malformed."""
    if len(body) < _LARGE:
        return _unpack(body, encoding)
    return await asyncio.to_thread(_unpack, body, encoding)


def _unpack(body: bytes, encoding: str) -> bytes:
    names = [name.strip().lower() for name in encoding.split(",")]
    names = [name for name in names if name not in ("", "identity")]
    if len(names) > _MOST_ENCODINGS or any(name not in _WINDOWS for name in names):
        raise UnreadableEncoding("Only gzip and deflate are read as Content-Encoding.")
    for name in reversed(names):
        body = _inflate(body, name)
    return body


# What zlib calls a window tells it the format: gzip, or zlib's own.
_WINDOWS: Final = {"gzip": 31, "x-gzip": 31, "deflate": 15}


def _inflate(body: bytes, name: str) -> bytes:
    window = _WINDOWS[name]
    if name == "deflate" and not _has_zlib_header(body):
        window = -15  # some send it bare
    parts: list[bytes] = []
    room = MAX_INFLATED + 1
    rest = body
    try:
        for _ in range(_MOST_MEMBERS):
            inflater = zlib.decompressobj(window)
            part = inflater.decompress(rest, room)
            parts.append(part)
            room -= len(part)
            if room <= 0:
                raise TooLarge(f"The body has more than {MAX_INFLATED} bytes when inflated.")
            if not inflater.eof:
                raise Malformed("The compressed body is cut off.")
            rest = inflater.unused_data
            if not rest or window != _WINDOWS["gzip"]:
                return parts[0] if len(parts) == 1 else b"".join(parts)
    except zlib.error:
        raise Malformed(f"The body is not {name}, as its Content-Encoding says.") from None
    raise Malformed(f"The body consists of more than {_MOST_MEMBERS} gzip members.")


def _has_zlib_header(body: bytes) -> bool:
    return len(body) >= 2 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0


def decode(body: bytes) -> Any:
    """The JSON value of a body. Raises Malformed.

    What the fast decoder refuses gets a second look: lone surrogates and numbers beyond all
    bounds are told later, at the fields in which they stand.
    """
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    except RecursionError:
        raise Malformed("The body is nested too deeply.") from None
    if len(body) > MAX_INFLATED:
        raise TooLarge(f"The body has more than {MAX_INFLATED} bytes.")
    try:
        return json.loads(body, parse_constant=_refuse, parse_int=_integer)
    except RecursionError:
        raise Malformed("The body is nested too deeply.") from None
    except ValueError as error:
        told = str(error) if isinstance(error, json.JSONDecodeError) else "not UTF-8"
        raise Malformed(f"The body is not JSON: {told}.") from None


def _refuse(constant: str) -> Any:
    raise json.JSONDecodeError(f"{constant} is not JSON", "", 0)


def _integer(digits: str) -> float:
    return int(digits) if len(digits) <= _LONGEST_INT else math.inf
