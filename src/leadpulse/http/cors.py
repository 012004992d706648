"""Which websites may read answers: the dashboard's own and the configured ones, with cookies.

The event calls answer any website, without cookies; http/intake.py sees to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from leadpulse.domain.errors import Forbidden

if TYPE_CHECKING:
    from collections.abc import Iterable

    from leadpulse.http.services import App

EXPOSED: Final = ("Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-Id")
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_ALLOWED: Final = (
    "Authorization", "Content-Type", "Content-Encoding", "X-API-Key", "X-CSRF-Token",
    "X-Request-Id",
)  # fmt: skip


class Cors(CORSMiddleware):
    """Around everything that is answered, so that errors can be read too."""

    def __init__(self, app: App, origins: Iterable[str]) -> None:
        super().__init__(
            app,
            allow_origins=list(origins),
            allow_credentials=True,
            allow_methods=list(METHODS),
            allow_headers=list(_ALLOWED),
            expose_headers=list(EXPOSED),
            max_age=600,
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """204 with what is allowed; raises Forbidden where nothing is."""
        made = super().preflight_response(request_headers)
        if made.status_code >= 400:
            raise Forbidden("This website may not ask for this.", "origin_not_allowed")
        own = {k: v for k, v in made.headers.items() if not k.startswith("content-")}
        return Response(status_code=204, headers=own)
