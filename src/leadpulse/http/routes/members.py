"""Members of a project, and those who are invited."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from leadpulse.domain.permissions import Permission
from leadpulse.http import answers_projects as told
from leadpulse.http import render
from leadpulse.http import render_projects as shown
from leadpulse.http.answers_accounts import LoggedIn
from leadpulse.http.deps import Given, an_id, invalid
from leadpulse.http.documented import answers, entry
from leadpulse.http.schemas_projects import Acceptance, MemberChange, NewInvitation
from leadpulse.http.signed_in import CameFrom, session_answer, signed_in
from leadpulse.http.within import within
from leadpulse.usecases import invitations, members
from leadpulse.usecases.audit import Actor, act_as
from leadpulse.usecases.invitations import Newcomer
from leadpulse.usecases.principals import Principal

router = APIRouter(prefix="/api/projects/{project_id}", tags=["members"])
entrance = APIRouter(tags=["members"])

Reader = Annotated[Principal, Depends(within(Permission.MEMBERS_READ))]
Writer = Annotated[Principal, Depends(within(Permission.MEMBERS_WRITE))]
Inviter = Annotated[Principal, Depends(within(Permission.MEMBERS_INVITE))]


def _user_id(user_id: Annotated[str, Path(description="The id of a member.")]) -> str:
    return an_id(user_id, "member")


UserId = Annotated[str, Depends(_user_id)]


@router.get(
    "/members",
    responses=answers(told.Members, "not_found", "people_only"),
)
async def list_members(services: Given, caller: Reader) -> Response:
    """Who is a member, the oldest first."""
    found = await members.list_members(services.pool, caller.project_id)
    return render.answer({"members": [shown.member(row) for row in found], "nextCursor": None})


@router.patch(
    "/members/{user_id}",
    responses=answers(told.Member, "not_found", "people_only", "last_owner", body=True),
)
async def change_member(
    services: Given, caller: Writer, user_id: UserId, change: MemberChange
) -> Response:
    """Gives a member another role. Only an owner makes an owner, or lowers one.

    It counts within seconds, for running sessions too. `transfer` hands your ownership over.
    """
    if change.transfer and change.role != "owner":
        raise invalid("transfer", "goes with the role owner only")
    if change.transfer:
        row = await members.transfer(services.pool, caller.project_id, user_id, caller)
    else:
        row = await members.change_role(
            services.pool, (caller.project_id, user_id), change.role, caller
        )
    services.accounts.sessions.forget()
    return render.answer(shown.member(row))


@router.delete(
    "/members/{user_id}",
    status_code=204,
    responses={
        **answers(None, "not_found", "people_only", "last_owner"),
        204: {"description": "A member no longer."},
    },
)
async def remove_member(services: Given, caller: Reader, user_id: UserId) -> Response:
    """Ends a membership. Everybody may leave; to remove others takes the role admin.

    Invitations that the member made are void. Secret keys that he knows are not: rotate them.
    """
    await members.remove(services.pool, (caller.project_id, user_id), caller)
    services.accounts.sessions.forget()
    return Response(status_code=204)


# ── Invitations ──────────────────────────────────────────────────────────────────────


@router.get(
    "/invitations",
    responses=answers(told.Invitations, "not_found", "people_only"),
)
async def list_invitations(services: Given, caller: Writer) -> Response:
    """Invitations that wait, or have expired; the oldest first."""
    found = await invitations.list_invitations(services.pool, caller.project_id)
    return render.answer(
        {"invitations": [shown.invitation(row) for row in found], "nextCursor": None}
    )


@router.post(
    "/invitations",
    status_code=201,
    responses=answers(
        told.MadeInvitation,
        "not_found", "people_only", "unverified_email", "already_member", "too_many_invitations",
        status=201, body=True,
    ),
)  # fmt: skip
async def invite(services: Given, caller: Inviter, wanted: NewInvitation) -> Response:
    """Invites somebody by mail. The link works once, for a week, and for this address only.

    An earlier invitation to the same address is void then. One address is invited at most five
    times a day into whichever project, and a project invites a hundred times.
    """
    made, mailed = await invitations.invite_by_mail(
        services.accounts, caller.project_id, (wanted.email, wanted.role), caller
    )
    return render.answer({**shown.invitation(made.row), "mailed": mailed}, 201)


@router.delete(
    "/invitations/{invitation_id}",
    status_code=204,
    responses={
        **answers(None, "not_found", "people_only"),
        204: {"description": "The link opens nothing any more."},
    },
)
async def revoke_invitation(
    services: Given,
    caller: Writer,
    invitation_id: Annotated[str, Path(description="The id of an invitation.")],
) -> Response:
    """Makes an invitation void."""
    await invitations.revoke(services.pool, caller.project_id, an_id(invitation_id, "invitation"))
    return Response(status_code=204)


@entrance.post(
    "/api/auth/accept-invitation",
    responses=entry(
        LoggedIn,
        "missing_key", "unknown_session", "expired_session", "people_only", "other_address",
        "already_member", "has_account",
    ),
)  # fmt: skip
async def accept_invitation(
    request: Request, services: Given, origin: CameFrom, given: Acceptance
) -> Response:
    """Accepts an invitation by the token of its link, and works in that project from then on.

    With `name` and `password` an account is made for the address that was invited; without them
    it takes a session of the account with that address.
    """
    if given.password is None:
        session = await signed_in(request, services)
        begun = await invitations.accept(services.accounts, given.token, session)
    else:
        instance = request.scope["state"]["request_id"]
        act_as(Actor("system", None, origin.address, instance))
        newcomer = Newcomer(given.name or "", given.password)
        begun = await invitations.accept_as_new(services.accounts, given.token, newcomer, origin)
    return await session_answer(request, services, begun)
