"""The calls by area; each route names its key's scope, its use case and its errors."""

from __future__ import annotations

from typing import Final

from leadpulse.http.routes import (
    admin,
    analytics,
    auth,
    changes,
    data,
    events,
    health,
    imports,
    keys,
    leads,
    members,
    models,
    notifications,
    privacy,
    projects,
)

# The order matters where a word stands in the place of an id: /api/leads/export.
ROUTERS: Final = (
    leads.router,
    imports.router,
    changes.router,
    notifications.router,
    privacy.router,
    privacy.one,
    events.router,
    models.router,
    analytics.router,
    admin.router,
    projects.router,
    projects.one,
    data.router,
    data.one,
    keys.router,
    keys.older,
    members.router,
    members.entrance,
    auth.router,
    health.router,
)
