from __future__ import annotations

from typing import Annotated

import typer

from leadpulse.bootstrap.announcement import public_url
from leadpulse.cli.commands import new_app
from leadpulse.cli.deeds import deed
from leadpulse.cli.options import (
    AsJson,
    DataDir,
    ProjectOption,
    checked_id,
    settings_for,
)
from leadpulse.cli.output import print_json, print_table, say
from leadpulse.domain.permissions import Role
from leadpulse.domain.timestamps import to_rfc3339
from leadpulse.postgres.invitations import InvitationRow
from leadpulse.postgres.members import MemberRow
from leadpulse.postgres.session import Pool
from leadpulse.usecases import invitations, members, people

app = new_app("Members: who belongs to a project, and in which role.")

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="Address of the person.")]
NewRole = Annotated[Role, typer.Argument(metavar="ROLE", help="viewer, member, admin or owner.")]
RoleOption = Annotated[Role, typer.Option(help="What the person may do.")]
KNOWN = "Servers know within five seconds."


@app.command(name="list")
def list_(*, project: ProjectOption, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List the members of a project, and the invitations that wait."""
    wanted = checked_id(project)

    async def work(
        pool: Pool,
    ) -> tuple[list[MemberRow], list[InvitationRow]]:
        return (
            await members.list_members(pool, wanted),
            await invitations.list_invitations(pool, wanted),
        )

    joined, invited = deed(data_dir, work)
    if as_json:
        print_json(
            {
                "members": [
                    {
                        "id": m.user_id, "email": m.email, "name": m.name, "role": m.role,
                        "verified": m.verified, "disabled": m.disabled,
                        "joinedAt": to_rfc3339(m.created_at),
                    }
                    for m in joined
                ],
                "invitations": [
                    {
                        "id": i.id, "email": i.email, "role": i.role,
                        "expiresAt": to_rfc3339(i.expires_at),
                    }
                    for i in invited
                ],
            }
        )  # fmt: skip
        return
    rows = [(m.email, m.name, m.role, "", to_rfc3339(m.created_at)) for m in joined]
    rows += [(i.email, "", i.role, "invited", to_rfc3339(i.created_at)) for i in invited]
    print_table(("email", "name", "role", "state", "since"), rows)


@app.command()
def invite(
    email: Email,
    *,
    project: ProjectOption,
    role: RoleOption = "member",
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Make an invitation and show its link, this once only. Nothing is mailed.

    It works once, for a week, and for this address; an earlier one to the address is void then.
    """
    wanted = checked_id(project)
    base = public_url(settings_for(data_dir))
    made = deed(
        data_dir,
        lambda pool: invitations.invite(pool, wanted, (email, role), "cli"),
    )
    url = invitations.invitation_url(base, made)
    if as_json:
        until = to_rfc3339(made.row.expires_at)
        print_json({"id": made.row.id, "email": made.row.email, "url": url, "expiresAt": until})
    else:
        say(url)


@app.command()
def add(
    email: Email,
    *,
    project: ProjectOption,
    role: RoleOption = "member",
    data_dir: DataDir = None,
) -> None:
    """Make somebody who has an account a member, without asking."""
    wanted = checked_id(project)
    deed(data_dir, lambda pool: people.add_member(pool, wanted, email, role))
    say("Added.")


@app.command()
def role(email: Email, role: NewRole, *, project: ProjectOption, data_dir: DataDir = None) -> None:
    """Give a member another role. A project keeps at least one owner."""
    wanted = checked_id(project)

    async def work(pool: Pool) -> None:
        member = (wanted, await people.user_id_of(pool, email))
        await members.change_role(pool, member, role, "cli")

    deed(data_dir, work)
    say(f"Changed. {KNOWN}")


@app.command()
def remove(email: Email, *, project: ProjectOption, data_dir: DataDir = None) -> None:
    """End a membership. Secret keys that the person knows still work: rotate them."""
    wanted = checked_id(project)

    async def work(pool: Pool) -> None:
        member = (wanted, await people.user_id_of(pool, email))
        await members.remove(pool, member, "cli")

    deed(data_dir, work)
    say(f"Removed. {KNOWN}")
