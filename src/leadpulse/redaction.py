"""What may stand in a log: texts without secrets, errors without the data they were about.

PostgreSQL quotes rows in its DETAIL lines, and Python quotes values; both are people's data
here. Of an error remain its kind, what it says in words, and where it was raised.
"""

from __future__ import annotations

import re
import traceback
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

_KEY = re.compile(r"(?<![A-Za-z0-9])([ps]k)_[0-9a-fA-F]{8,}")
_URL_PASSWORD = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s/@]+@")
_CONNINFO_PASSWORD = re.compile(r"\bpassword=('[^']*'|\S+)")
_BEARER = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
_TOKEN = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){1,4}")
_COOKIE = re.compile(r"(leadpulse_session|(?i:\bcookie)\b)(=|:\s*)[^\s'\"]+")
# What is asked for stands in the path; the rest of an address is anybody's data.
_QUERY = re.compile(r"(?<![\w:/.@])((?:https?:/)?/[^\s?'\"]*)\?[^\s'\"]*=[^\s'\"]*")
# Long and without a word in it: the tokens of links in mails, and secrets of other systems.
_RANDOM = re.compile(
    r"(?<![\w+/.-])(?=[\w-]*[0-9])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[A-Za-z0-9_-]{32,}(?![\w-])"
)
# Not the user of an address of a database, which an operator wants to see.
_EMAIL = re.compile(r"(?<!://)(?<![\w.%+-])[\w.%+-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+")
# As PostgreSQL sends them, and as they look inside the repr of an error.
_SERVER_LINES = re.compile(
    r"(?:\n|\\n|^)\s*(?:DETAIL|CONTEXT|HINT|QUERY|STATEMENT|LINE \d+):.*", re.DOTALL
)
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")
_REST_OF_QUOTE = re.compile(r"""(?<!\w)['"].*""", re.DOTALL)

# What these quote are names in our code, and of files.
_HARMLESS: Final = (AttributeError, ImportError, NameError, OSError, TypeError)
_LONGEST_TEXT: Final = 4_000
_LONGEST_ERROR: Final = 300
_FRAMES: Final = 12
_CHAINED: Final = 4


def redact(text: str) -> str:
    """Remove keys, tokens, cookies, passwords, queries, email addresses and PostgreSQL's rows."""
    text = _SERVER_LINES.sub("", text[:_LONGEST_TEXT])
    text = _KEY.sub(r"\1_…", text)
    text = _URL_PASSWORD.sub(r"\1:…@", text)
    text = _CONNINFO_PASSWORD.sub("password=…", text)
    text = _BEARER.sub(r"\1 …", text)
    text = _TOKEN.sub("eyJ…", text)
    text = _COOKIE.sub(r"\1\2…", text)
    text = _QUERY.sub(r"\1?…", text)
    text = _RANDOM.sub("…", text)
    return _EMAIL.sub("…@…", text)


def describe(error: BaseException) -> str:
    """An error in one bounded line: its kind and its words, without any value it quotes."""
    words, places = _words(error), _places(error)
    if not isinstance(error, _HARMLESS):
        words = _REST_OF_QUOTE.sub("…", _QUOTED.sub("…", words))
    words = " ".join(redact(words).split())
    if len(words) > _LONGEST_ERROR:
        words = f"{words[:_LONGEST_ERROR]}…"
    name = " ".join([type(error).__name__, *places])
    return f"{name}: {words}" if words else name


def _places(error: BaseException) -> list[str]:
    """What PostgreSQL says beside words: its code, and the names of ours that it is about."""
    told = getattr(error, "diag", None)
    fields = ("sqlstate", "table_name", "column_name", "constraint_name")
    return [value for field in fields if (value := getattr(told, field, None))]


def _words(error: BaseException) -> str:
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    if primary:
        return str(primary)
    # pydantic repeats the input on every line of its text.
    if hasattr(error, "error_count") and hasattr(error, "errors"):
        return f"{error.error_count()} values are not valid"
    return str(error)


def trace(error: BaseException) -> str:
    """Where an error and what led to it were raised: the innermost frames, never locals."""
    lines: list[str] = []
    for number, (one, how) in enumerate(_chain(error)):
        if number:
            lines.append(how)
        lines += _frames(one.__traceback__)
        lines.append(describe(one))
    return "\n".join(lines)


def _frames(where: TracebackType | None) -> list[str]:
    frames = list(traceback.walk_tb(where))
    shown = traceback.StackSummary.extract(iter(frames[-_FRAMES:]), capture_locals=False)
    left_out = len(frames) - len(shown)
    lines = [f"  … {left_out} outer calls"] if left_out > 0 else []
    for frame in shown:
        lines.append(f"  {frame.filename}:{frame.lineno} in {frame.name}")
        if frame.line:
            lines.append(f"    {redact(frame.line)}")
    return lines


def _chain(error: BaseException) -> Iterator[tuple[BaseException, str]]:
    """The error and its causes, the outermost first; of a group its first members."""
    waiting: list[tuple[BaseException, str]] = [(error, "")]
    seen: set[int] = set()
    while waiting and len(seen) < _CHAINED:
        one, how = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one, how
        if isinstance(one, BaseExceptionGroup):
            waiting += [(inner, "in the group:") for inner in one.exceptions]
        if one.__cause__ is not None:
            waiting.append((one.__cause__, "caused by:"))
        elif one.__context__ is not None and not one.__suppress_context__:
            waiting.append((one.__context__, "while handling:"))
