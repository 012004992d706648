"""Keys of a project: write keys for web pages, secret keys for servers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from leadpulse.domain.permissions import Permission
from leadpulse.http import answers_projects as told
from leadpulse.http import render
from leadpulse.http import render_projects as shown
from leadpulse.http.deps import Given, allowed, an_id
from leadpulse.http.documented import answers
from leadpulse.http.schemas_projects import KeyChanges, NewKey, RotateKey
from leadpulse.http.within import within
from leadpulse.usecases import project_keys
from leadpulse.usecases.principals import Principal
from leadpulse.usecases.project_keys import DEFAULT_GRACE, HOUR, Wish

router = APIRouter(prefix="/api/projects/{project_id}", tags=["keys"])
older = APIRouter(tags=["keys"])

# The least; for a secret key the use case asks for more.
Keeper = Annotated[Principal, Depends(within(Permission.WRITE_KEYS))]

# What the calls can answer that may be about a secret key.
_SECRET = ("people_only", "unverified_email")


def _key_id(key_id: Annotated[str, Path(description="The id of a key.")]) -> str:
    return an_id(key_id, "key")


KeyId = Annotated[str, Depends(_key_id)]


@router.get("/keys", responses=answers(told.Keys, "not_found"))
async def list_keys(services: Given, caller: Keeper) -> Response:
    """Write keys in full and, for people, what is known of secret keys; the oldest first."""
    kinds = ("write", "secret") if caller.kind == "session" else ("write",)
    found = await project_keys.list_keys(services.pool, caller.project_id, kinds)
    return render.answer(
        {"keys": [shown.key(key, state) for key, state in found], "nextCursor": None}
    )


@router.post(
    "/keys",
    status_code=201,
    responses=answers(told.MadeKey, "not_found", "too_many_keys", *_SECRET, status=201, body=True),
)
async def create_key(services: Given, caller: Keeper, key: NewKey) -> Response:
    """Makes a key. A secret key is shown this once only; only a person can make one."""
    wish = Wish(key.kind, key.name, key.scopes, key.origins, key.expires_at)
    made = await project_keys.make_key(services.pool, caller.project_id, wish, caller)
    return render.answer(made._asdict(), 201)


@router.patch(
    "/keys/{key_id}",
    responses=answers(told.Key, "not_found", "key_over", *_SECRET, body=True),
)
async def change_key(
    services: Given, caller: Keeper, key_id: KeyId, changes: KeyChanges
) -> Response:
    """Changes name, websites or end of a key, or switches it off and on.

    Every server knows within seconds.
    """
    document = changes.model_dump(by_alias=True, exclude_unset=True)
    row, state = await project_keys.change_key(
        services.pool, (caller.project_id, key_id), document, caller
    )
    services.keys.forget()
    return render.answer(shown.key(row, state))


@router.delete(
    "/keys/{key_id}",
    status_code=204,
    responses={
        **answers(None, "not_found", "key_over", *_SECRET),
        204: {"description": "It opens nothing any more."},
    },
)
async def revoke_key(services: Given, caller: Keeper, key_id: KeyId) -> Response:
    """Takes a key out of use for good. Every server knows within seconds."""
    await project_keys.revoke_key(services.pool, caller.project_id, key_id, caller)
    services.keys.forget()
    return Response(status_code=204)


@router.post(
    "/rotate-key",
    status_code=201,
    responses=answers(
        told.RotatedKey,
        "not_found", "key_over", "too_many_keys", *_SECRET, status=201, body=True,
    ),
)  # fmt: skip
async def rotate_key(
    services: Given, caller: Keeper, rotation: RotateKey | None = None
) -> Response:
    """Makes a key like another one, which works a while longer. Without a body: the write key."""
    key_id = None if rotation is None else rotation.key_id
    grace = DEFAULT_GRACE if rotation is None else round(rotation.grace_hours * HOUR)
    done = await project_keys.rotate_key(services.pool, caller.project_id, key_id, grace, caller)
    services.keys.forget()
    return render.answer(shown.rotated(done), 201)


@older.post(
    "/api/auth/generate-api-key",
    status_code=201,
    responses=answers(told.ApiKey, "too_many_keys", status=201),
)
async def generate_api_key(
    services: Given, caller: Annotated[Principal, Depends(allowed(Permission.WRITE_KEYS))]
) -> Response:
    """One more write key of the project."""
    made = await project_keys.make_key(services.pool, caller.project_id, Wish("write"), caller)
    return render.answer({"apiKey": made.key}, 201)
