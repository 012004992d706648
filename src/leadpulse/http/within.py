"""Routes below one project: it must be the one of the caller's credential.

A person who belongs to several works in one at a time and switches; so a credential never
reaches further than it says, and every other id answers 404 before anything else is looked at.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Path, Request

from leadpulse.domain.errors import NotFound
from leadpulse.domain.permissions import Permission
from leadpulse.http.deps import Given, an_id, caller_of
from leadpulse.usecases.principals import Principal


def within(permission: Permission) -> Callable[..., Awaitable[Principal]]:
    """The dependency of such a route, that only they may call who have a permission."""

    async def principal(
        request: Request,
        services: Given,
        project_id: Annotated[str, Path(description="The id of the project.")],
    ) -> Principal:
        found = await caller_of(request, services)
        if not found.public and an_id(project_id, "project") != found.project_id:
            raise NotFound("project", project_id[:100])
        found.require(permission)
        return found

    # Read back by the documentation, and by the test that walks every route.
    principal.__dict__["permission"] = permission
    return principal
