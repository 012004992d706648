"""Structured logs: one event a line, with the request it belongs to, without secrets."""

from __future__ import annotations

import logging
import re
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, TextIO

import structlog
from structlog.contextvars import bind_contextvars, bound_contextvars, clear_contextvars

from leadpulse.redaction import describe, redact, trace

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from contextlib import AbstractContextManager
    from types import TracebackType

# Secrets, and what events and profiles are made of.
_SECRET_NAMES = re.compile(
    r"(password|secret|token|signing_key|(api|write)_?key|authorization|cookie|csrf|query_string"
    r"|^(e?mail|traits|properties|body|phone|company)$)",
    re.IGNORECASE,
)


def configure_logging(level: str = "info", style: Literal["console", "json"] = "console") -> None:
    """Set up logs of ours and of libraries alike, on standard error. Idempotent."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    # Traces are made here and nowhere else: a library's own would show the locals of a frame,
    # and with them keys and people's data.
    rendered: list[structlog.typing.Processor] = [
        structlog.processors.ExceptionRenderer(_trace),
        _redact_event,
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        ),
    ]
    handler = _Handler(sys.stderr)
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
    # An outage is told once, by whoever works with the database, not at every try.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
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
    sys.excepthook = _last_words


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


class _Handler(logging.StreamHandler[TextIO]):
    """Standard error. A line that can't be made is told by its place alone: never its values."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        with suppress(OSError, ValueError):
            self.stream.write(f"a log line of {record.pathname}:{record.lineno} was lost\n")


def _last_words(
    kind: type[BaseException], error: BaseException, where: TracebackType | None
) -> None:
    """An error that nobody caught ends the process; it is told like every other."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, where)
        return
    logging.getLogger("leadpulse").critical("crashed", exc_info=(kind, error, where))


def _trace(exc_info: tuple[type[BaseException], BaseException, TracebackType | None]) -> str:
    return trace(exc_info[1])


def _redact_event(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    return {name: _redact_value(name, value) for name, value in event.items()}


def _redact_value(name: str, value: Any) -> Any:
    if _SECRET_NAMES.search(name) and value is not None:
        return "…"
    if isinstance(value, str):
        return value if name == "exception" else redact(value)
    if isinstance(value, dict):
        return {key: _redact_value(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [_redact_value("", inner) for inner in value]
    if isinstance(value, BaseException):
        return describe(value)
    return value if isinstance(value, int | float | None) else redact(str(value))
