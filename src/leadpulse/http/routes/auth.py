"""Accounts: registering, logging in and out, passwords, sessions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from leadpulse.domain.permissions import Permission
from leadpulse.http import answers_accounts as told
from leadpulse.http import cookies, render
from leadpulse.http import schemas_accounts as sent
from leadpulse.http.deps import Given, allowed, an_id
from leadpulse.http.documented import answers, entry, of_people, public
from leadpulse.http.services import Services
from leadpulse.http.signed_in import (
    CameFrom,
    SignedIn,
    SignedInHere,
    person,
    project,
    session_answer,
)
from leadpulse.postgres.sessions import FoundSession
from leadpulse.usecases import accounts, projects, sessions
from leadpulse.usecases.google import google_login
from leadpulse.usecases.principals import Principal

router = APIRouter(prefix="/api/auth", tags=["accounts"])


def _done(message: str, status: int = 200) -> Response:
    return render.answer({"success": True, "message": message}, status)


@router.get("/options", responses=public(told.EntryOptions, "overloaded"))
async def options(services: Given) -> Response:
    """How one gets in here: for the page on which one logs in."""
    own, settings = services.accounts, services.settings
    return render.answer(
        {
            "signup": own.signup,
            "registrationOpen": await accounts.registration_open(own),
            "googleClientId": settings.google_client_id,
            "mail": settings.smtp_url is not None,
        }
    )


@router.post(
    "/register",
    status_code=201,
    responses=entry(told.LoggedIn, "signup_closed", "email_taken", status=201),
)
async def register(
    request: Request, services: Given, origin: CameFrom, wanted: sent.Registering
) -> Response:
    """Makes an account with a project and its write key, and logs in.

    Open to whom LEADPULSE_SIGNUP says. A link to verify the address is mailed; until it is
    followed, one can't invite people, make secret keys or outbound webhooks.
    """
    wish = accounts.Registration(wanted.email, wanted.password, wanted.name, wanted.company)
    begun = await accounts.register(services.accounts, wish, origin)
    return await session_answer(request, services, begun, 201)


@router.post("/login", responses=entry(told.LoggedIn, "wrong_credentials"))
async def login(
    request: Request, services: Given, origin: CameFrom, given: sent.LoggingIn
) -> Response:
    """Logs in. Whether an address has an account is told neither by the answer nor its time."""
    begun = await accounts.login(services.accounts, given.email, given.password, origin)
    return await session_answer(request, services, begun)


@router.post(
    "/google",
    responses={
        **entry(
            told.LoggedIn,
            "bad_identity", "wrong_credentials", "google_off", "signup_closed",
            "unverified_email", "email_taken", "other_identity",
        ),
        201: {"model": told.LoggedIn, "description": "An account was made."},
    },
)  # fmt: skip
async def google(
    request: Request, services: Given, origin: CameFrom, given: sent.WithGoogle
) -> Response:
    """Signs in with Google. An account with the same address is joined, if Google verified it.

    If the account never did, its password and sessions are void then.
    """
    begun, made = await google_login(services.accounts, given.token, origin, given.company)
    return await session_answer(request, services, begun, 201 if made else 200)


@router.post("/verify-email", responses=of_people(told.Told, "other_address", body=True))
async def verify_email(
    services: Given, session: SignedIn, origin: CameFrom, given: sent.VerifyingEmail
) -> Response:
    """Verifies one's address by the token of a link; without a token mails another link.

    It takes a session of the account that the link was mailed for. Who reads the mail and never
    made that account sets a password of his own (forgot-password), which logs out everybody else.
    """
    if given.token is not None:
        await accounts.verify_email(services.accounts, session, given.token, origin)
        return _done("The address is verified.")
    await accounts.send_verification(services.accounts, session)
    return _done("If the address is not verified yet, a link is on its way.")


@router.post("/forgot-password", status_code=202, responses=entry(told.Told, status=202))
async def forgot_password(
    services: Given, origin: CameFrom, given: sent.ForgettingPassword
) -> Response:
    """Mails a link to set a new password, if the address has an account. The answer is the same."""
    await accounts.forgot_password(services.accounts, given.email, origin)
    return _done("If there is such an account, a link is on its way.", 202)


@router.post("/reset-password", responses=entry(told.LoggedIn))
async def reset_password(
    request: Request, services: Given, origin: CameFrom, given: sent.ResettingPassword
) -> Response:
    """Sets a new password by the token of a link, logs out everywhere else, and logs in here."""
    begun = await accounts.reset_password(services.accounts, given.token, given.password, origin)
    return await session_answer(request, services, begun)


@router.post("/change-password", responses=of_people(told.Told, "no_password", body=True))
async def change_password(
    services: Given, session: SignedIn, given: sent.ChangingPassword
) -> Response:
    """Sets a new password by the old one, and logs out everywhere else."""
    await accounts.change_password(
        services.accounts, session, given.current_password, given.new_password
    )
    return _done("The password is changed; all other sessions have ended.")


@router.post("/logout", responses=of_people(told.Told))
async def logout(request: Request, services: Given, session: SignedIn) -> Response:
    """Ends this session, in every process within five seconds."""
    await sessions.log_out(services.pool, services.accounts.sessions, session)
    return _logged_out(request, services, "You are logged out.")


@router.post("/logout-all", responses=of_people(told.Told))
async def logout_all(request: Request, services: Given, session: SignedIn) -> Response:
    """Ends all sessions of the person, this one too."""
    ended = await sessions.end_all_sessions(
        services.pool, services.accounts.sessions, session.user_id
    )
    return _logged_out(request, services, f"{ended} sessions have ended.")


def _logged_out(request: Request, services: Services, message: str) -> Response:
    response = _done(message)
    cookies.drop_session(response, secure=cookies.is_secure(request, services))
    return response


@router.get("/me", responses=of_people(told.Me))
async def me(services: Given, session: SignedInHere) -> Response:
    """Who is logged in, in which project, and in which others one could be."""
    return await _me(services, session)


async def _me(services: Services, session: FoundSession) -> Response:
    found = await accounts.overview(services.accounts, session.user_id, session.project_id)
    return render.answer(
        {
            "user": person(found.user),
            "project": None if found.project is None else project(found.project),
            "projects": [project(each) for each in found.projects],
            "csrfToken": services.accounts.tokens.csrf(session.id),
        }
    )


@router.patch("/me", responses=of_people(told.Me, body=True))
async def change_me(services: Given, session: SignedInHere, changes: sent.ChangingMe) -> Response:
    """Changes one's own account."""
    await accounts.rename(services.accounts, session, changes.name)
    return await _me(services, session)


@router.get("/project", responses=answers(told.SessionProject))
async def session_project(
    services: Given, caller: Annotated[Principal, Depends(allowed(Permission.PROJECT_READ))]
) -> Response:
    """The project in which the session works, with its write key."""
    found = await projects.get_project(services.pool, caller.project_id)
    return render.answer(
        {
            "id": found.id,
            "name": found.name,
            "domain": found.domain,
            "active": not found.paused and found.deleted_at is None,
            "writeKey": found.write_key,
            "apiKey": found.write_key,
        }
    )


@router.post("/switch-project", responses=of_people(told.LoggedIn, "not_found", body=True))
async def switch_project(
    request: Request, services: Given, session: SignedIn, to: sent.Switching
) -> Response:
    """Lets this session work in another project; its token of before is no good for projects."""
    own = services.accounts
    begun = await sessions.switch_project(
        services.pool, own.sessions, own.tokens, session, to.project_id
    )
    return await session_answer(request, services, begun)


@router.get("/sessions", responses=of_people(told.OwnSessions))
async def list_sessions(services: Given, session: SignedIn) -> Response:
    """Where one is logged in."""
    found = await sessions.list_sessions(services.pool, session)
    return render.answer(
        {
            "sessions": [
                {
                    "id": each.id,
                    "current": each.id == session.id,
                    "createdAt": render.when(each.created_at),
                    "lastSeenAt": render.when(each.last_seen_at),
                    "expiresAt": render.when(each.expires_at),
                    "address": each.address,
                    "agent": each.agent,
                }
                for each in found
            ],
            "nextCursor": None,
        }
    )


@router.delete(
    "/sessions/{session_id}",
    status_code=204,
    responses={**of_people(None, "not_found"), 204: {"description": "It has ended."}},
)
async def end_session(
    services: Given,
    session: SignedIn,
    session_id: Annotated[str, Path(description="The id of a session.")],
) -> Response:
    """Ends a session of one's own."""
    await sessions.end_session(
        services.pool, services.accounts.sessions, session.user_id, an_id(session_id, "session")
    )
    return Response(status_code=204)
