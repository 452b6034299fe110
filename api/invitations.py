"""Invitations: who may be added to a room at once and who is asked; reading and declining what one was asked."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from api import profiles
from api.core.calls import Call
from api.core.operation import NoPast, Operation, Request
from api.support import pages
from api.support.pages import Cursor, Limit
from api.support.problems import Problem
from events.invitations import Invitation
from events.users import User
from infra.base.postgres import Row, queries
from infra.base.rows import from_row
from producers.invitations import DeclineInvitation, WithdrawInvitation
from producers.limits import Id
from projectors.views import invitation_view


class Guests(NamedTuple):
    """People whom the caller wants in a room."""

    #: Who let the caller add them.
    joining: Collection[str]
    #: Those of them who have not said so themselves: the installation lets everyone add them.
    unwilling: Collection[str]
    #: Who are asked.
    invited: Collection[str]
    #: Those who are not there for whoever is in the room: of another team, or nobody.
    strangers: Collection[str]
    #: Why they cannot be asked.
    refusal: Problem | None


async def guests(call: Call, room: str, users: list[str], team: str | None) -> Guests:
    """Who of some registered users comes into the room at once, and who is asked. ``team``: the room's.

    A check on the read model: a moment late, except that nobody is asked who need not be.
    """
    if not users:
        return Guests((), (), (), (), None)
    rows = await _relations(call, room, users, team)
    if any(_asked(call, row) for row in rows) and await call.see_all("users", "rooms"):
        rows = await _relations(call, room, users, team)
    asked = {row["id"]: row for row in rows if _asked(call, row)}
    left = [row["id"] for row in rows if row["deactivated"] and not row["inside"]]
    unwilling = {row["id"] for row in rows if not row["contact"] and row["added_by"] is None}
    return Guests(
        joining=[user for user in users if user not in asked],
        unwilling=[user for user in users if user in unwilling and user not in asked],
        invited=[user for user in users if user in asked],
        strangers=set(users) - {row["id"] for row in rows},
        refusal=_deactivated(left) or await _refusal(call, room, [one for one in asked.values() if not one["waiting"]]),
    )


def _deactivated(users: list[str]) -> Problem | None:
    """Why some of the people do not come, nor are asked."""
    if not users:
        return None
    return Problem("forbidden", f"expected people who are not deactivated; {', '.join(users[:5])} are")


async def _relations(call: Call, room: str, users: list[str], team: str | None) -> list[Any]:
    rows = await call.rows(queries("invitations")["guests"], users, call.user, room, call.app)
    return [row for row in rows if row["team"] == team]


def _asked(call: Call, row: Row) -> bool:
    # Programs are there to be used, and most would never answer.
    rule = row["added_by"] or ("everyone" if row["role"] == "service" else call.settings.added_by)
    return not (row["inside"] or rule == "everyone" or (rule == "contacts" and row["contact"]))


async def _refusal(call: Call, room: str, asked: Collection[Any]) -> Problem | None:
    """Why some people cannot be asked; None when they can."""
    settings = call.settings
    for row in asked:
        # Whoever befriends the inviter, or comes to where they are, has made up their mind.
        if row["declined"] and not row["contact"]:
            return Problem(
                "declined", f"{row['id']} has declined an invitation of yours; they have to join or write first"
            )
        for found, most, whose in (
            (row["pending"], settings.invitations_user, "invitations"),
            (row["asked"], settings.invitations_between, "invitations of yours"),
        ):
            if found >= most:
                return Problem(
                    "too_many", f"expected at most {most} {whose} that wait for one person's answer; {row['id']} "
                    "has that many; wait for their answers",
                )  # fmt: skip
    if asked:
        [crowd] = await call.rows(queries("invitations")["crowd"], room, call.user)
        found = crowd["pending"]
        most = settings.invitations_room
        if found + len(asked) > most:
            return Problem(
                "too_many", f"expected at most {most} invitations to one room that wait for an answer, there are "
                f"{found}; wait for answers, or withdraw some",
            )  # fmt: skip
    return None


class ListInvitationsRequest(Request, frozen=True, kw_only=True):
    limit: Limit = 100
    cursor: Cursor | None = None


class DeclineRequest(Request, frozen=True, kw_only=True):
    room: Id


async def list_(call: Call, request: ListInvitationsRequest) -> dict[str, Any]:
    """With the public profiles of who invites, without those whom a block hides."""
    rows = await call.rows(
        queries("invitations")["of_user"], call.user, *pages.decode_latest(request.cursor), request.limit + 1
    )
    found = [from_row(Invitation, row) for row in rows[: request.limit]]
    inviting, team = list({one.by for one in found}), await call.team()
    people = await call.rows(queries("users")["by_id"], inviting, call.user, call.app, team)
    async with call.reading() as connection:
        users = await profiles.of_users(connection, call.user, [from_row(User, row) for row in people])
    more = pages.encode(found[-1].created, found[-1].room) if len(rows) > request.limit else None
    return {"invitations": [invitation_view(one) for one in found], "users": users, "next": more}


async def decline(call: Call, request: DeclineRequest) -> None:
    await call.submit(DeclineInvitation(room=request.room), shows=())


async def end_between(call: Call, other: str, until: str | None) -> None:
    """Ends what waits between the caller and whom they block: declines what they were asked, withdraws what they asked.

    ``until``: only what is no later than that time.
    """
    for row in await call.rows(queries("invitations")["between"], call.user, other, until):
        asked = row["by"] == other
        command = DeclineInvitation(room=row["room"]) if asked else WithdrawInvitation(room=row["room"], user=other)
        await call.step(command, key=None)


OPERATIONS = [
    Operation("invitations.list", "GET", "/v1/users/me/invitations", "user", ListInvitationsRequest, list_,
              "The rooms to which you were invited, and by whom; accept with `members.add` (`me`)",
              {"invitations": "[Invitation]", "users": "[User]", "next": "cursor"},
              as_of=NoPast("an invitation is either waiting now or gone")),
    Operation("invitations.decline", "DELETE", "/v1/users/me/invitations/{room}", "user", DeclineRequest, decline,
              "Decline an invitation", {}, 204),
]  # fmt: skip
