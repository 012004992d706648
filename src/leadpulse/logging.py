"""Structured logs: one event a line, with the request it belongs to, without secrets."""

from __future__ import annotations

import logging
import re
import sys
from typing import TYPE_CHECKING, Any, Literal

import structlog
from structlog.contextvars import bind_contextvars, bound_contextvars, clear_contextvars

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from contextlib import AbstractContextManager

_KEY = re.compile(r"\b([ps]k)_[0-9a-fA-F]{8,}")
_URL_PASSWORD = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s/@]+@")
_CONNINFO_PASSWORD = re.compile(r"\bpassword=('[^']*'|\S+)")
_BEARER = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
_SECRET_NAMES = re.compile(
    r"(password|secret|token|signing_key|api_?key|authorization|cookie)", re.IGNORECASE
)


def redact(text: str) -> str:
    """Remove keys, bearer tokens and passwords of addresses from a text."""
    text = _KEY.sub(r"\1_…", text)
    text = _URL_PASSWORD.sub(r"\1:…@", text)
    text = _CONNINFO_PASSWORD.sub("password=…", text)
    return _BEARER.sub(r"\1 …", text)


def configure_logging(level: str = "info", style: Literal["console", "json"] = "console") -> None:
    """Set up logs of ours and of libraries alike, on standard error. Idempotent."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    rendered: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, _redact_event, structlog.processors.JSONRenderer()]
        if style == "json"
        else [
            structlog.processors.format_exc_info,
            _redact_event,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendered],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # One line per migration step of a library is noise at the usual level.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return a logger; `log.info("what_happened", with_=facts)`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def request_context(request_id: str, **facts: object) -> AbstractContextManager[Any]:
    """Put the request's id (and more) on every line that is logged inside."""
    return bound_contextvars(request_id=request_id, **facts)


def process_context(**facts: object) -> None:
    """Put facts, such as the process's name, on every line from now on."""
    clear_contextvars()
    bind_contextvars(**facts)


def _redact_event(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    return {name: _redact_value(name, value) for name, value in event.items()}


def _redact_value(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return "…" if _SECRET_NAMES.search(name) else redact(value)
    if isinstance(value, dict):
        return {key: _redact_value(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_redact_value("", inner) for inner in value]
    if isinstance(value, BaseException):
        return redact(str(value))
    return value
