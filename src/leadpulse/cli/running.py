"""From a command's function to a running event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import uvloop

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

_T = TypeVar("_T")


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Runs a command's work to its end; Ctrl-C cancels it."""
    return uvloop.run(work)
