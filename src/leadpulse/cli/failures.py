"""Errors as sentences: nothing that a person can type or meet ends in a traceback."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from leadpulse.domain.errors import LeadPulseError

if TYPE_CHECKING:
    from collections.abc import Iterator

_DISK: dict[int | None, str] = {
    errno.ENOSPC: "The disk is full. Free some space, then try again.",
    errno.EDQUOT: "The disk quota is used up. Free some space, then try again.",
}


_ADVICE: dict[int | None, str] = {
    errno.EACCES: " Change who may use it, or name another place.",
    errno.EROFS: " Name a place that can be written to.",
    errno.ENOENT: " Name a place that exists.",
    errno.EMFILE: " Allow more open files (ulimit -n), then try again.",
}


class CommandError(Exception):
    """The command can't do what it was asked to; the message says why and what to do."""


@contextmanager
def told() -> Iterator[None]:
    """Ends the process with status 1 and a sentence for every error that we know."""
    try:
        yield
    except KeyboardInterrupt:
        _end("Interrupted.", 130)
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not flush into it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Exception as error:
        text = sentence(error)
        if text is None:
            raise
        _end(text, 1)


def sentence(error: BaseException) -> str | None:
    """What to tell a person about an error; None for one that is a fault of ours."""
    if isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        return sentence(error.exceptions[0])
    if isinstance(error, CommandError):
        return str(error)
    if isinstance(error, LeadPulseError):
        return error.detail
    return _of_the_system(error) or _of_the_store(error)


def _of_the_system(error: BaseException) -> str | None:
    from leadpulse.bootstrap.network import ListenError, StartFailed  # noqa: PLC0415 - only then
    from leadpulse.settings import SettingsError  # noqa: PLC0415

    if isinstance(error, SettingsError | ListenError | StartFailed):
        return str(error)
    if isinstance(error, OSError) and error.errno in _DISK:
        return _DISK[error.errno]
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror}.{_ADVICE.get(error.errno, '')}"
    return None


def _of_the_store(error: BaseException) -> str | None:
    from leadpulse.postgres import outages  # noqa: PLC0415 - only after a failure
    from leadpulse.postgres.errors import EmbeddedError, MigrationError  # noqa: PLC0415
    from leadpulse.usecases.backup import BackupError  # noqa: PLC0415

    if isinstance(error, EmbeddedError | MigrationError | outages.DatabaseUnreachable):
        return str(error)
    if isinstance(error, BackupError):
        return str(error)
    return outages.sentence(error)


def _end(text: str, status: int) -> NoReturn:
    sys.stderr.write(f"leadpulse: {text}\n")
    sys.exit(status)
