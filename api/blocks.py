"""Who does not exist for whom: the checks on blocks before a command. How people are shown is in ``profiles.py``.

The rule (docs/decisions/0039): to somebody whom a person blocks, that person does not exist: what is done to them is
answered like what is done to an unknown id, in the same words. Who blocks is told so, as they know it.

All of them look at the read models, and so may be a moment late. Each gives the refusal, or None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from api.core.calls import Call
from api.support.problems import Problem
from events.core.faults import wrong
from events.relationships import Relation
from infra.base.postgres import queries
from producers.roles import missing

#: Rooms that a process remembers to be no direct ones; beyond it, all are asked for again.
GROUPS = 100_000
#: What was expected and what was found where an id is nobody's to the caller.
_UNKNOWN = ("the id of a registered user", "an unknown id")


class _BlockPerson(NamedTuple):
    """A registered user beside the caller, of the same team."""

    #: What the caller is to them.
    own: Relation | None
    #: Whether they block the caller.
    apart: bool
    #: If so, whether the two are in a room together.
    together: bool


def _met(one: _BlockPerson) -> bool:
    # Who blocks them knows it, whatever they do.
    return one.own == "block" or not one.apart


def _befriended(one: _BlockPerson) -> bool:
    return one.own == "friend" or not one.apart


def _blocked(one: _BlockPerson) -> bool:
    # Whoever is seen can be blocked, also by those whom they block.
    return one.own is not None or one.together or not one.apart


async def unreachable(call: Call, users: Mapping[str, str], what: str, team: str | None) -> Problem | None:
    """Why the caller does not start a room with some users, nor lets them into one; ``what``: as they are told it.

    ``users``: where in the request each id stands, as a JSON pointer. ``team``: the room's, which is to be theirs.
    """
    if not users:
        return None
    found = await _people(call, list(users), _met, team)
    if unknown := [user for user in users if user not in found]:
        return Problem(
            "not_found",
            f"expected registered users, found none with id {', '.join(unknown[:5])}",
            errors=[wrong(users[user], *_UNKNOWN) for user in unknown],
        )
    if own := [user for user in users if found[user].own == "block"]:
        return Problem(
            "forbidden",
            f"expected people whom you do not block; you block {', '.join(own[:5])}: remove the block to {what}",
            errors=[wrong(users[user], "somebody whom you do not block", "somebody whom you block") for user in own],
        )
    return None


async def unrelatable(call: Call, user: str, type: Relation | None) -> Problem | None:
    """Why the caller does not become this to a user; to be nothing to them is always possible."""
    if type is None:
        return None
    if user in await _people(call, [user], _befriended if type == "friend" else _blocked, await call.team()):
        return None
    what = f"expected a registered user, found none with id {user}"
    return Problem("not_found", what, errors=[wrong("/user", *_UNKNOWN)])


async def _people(
    call: Call, users: list[str], exists: Callable[[_BlockPerson], bool], team: str | None
) -> dict[str, _BlockPerson]:
    """Those of a team who exist for the caller. Who registered at this process a moment ago is found."""

    async def ask() -> dict[str, _BlockPerson]:
        rows = await call.rows(queries("blocks")["people"], users, call.user, call.app)
        people = (
            (row["id"], _BlockPerson(row["own"], row["apart"], row["together"])) for row in rows if row["team"] == team
        )
        return {id: one for id, one in people if exists(one)}

    # Also for those who block the caller, so that it takes as long.
    return await call.sought(ask, "users", "rooms", enough=lambda found: len(found) == len(set(users)))


class Facing(NamedTuple):
    """How the caller and the other of a room stand to each other; in a group, nobody is the other."""

    #: Why the caller says nothing there, nor changes it: a block stands between the two.
    problem: Problem | None = None
    #: The other of a direct room that the caller is in.
    other: str | None = None
    #: Whether they are in it too, or asked to come.
    there: bool = True


async def barred(call: Call, room: str, what: str) -> Problem | None:
    """Why the caller says nothing in a room, nor changes it: it is a direct one, and a block stands between the two.

    ``what``: what the caller is about to do, as who blocks is told it.
    """
    return (await facing(call, room, what)).problem


async def facing(call: Call, room: str, what: str) -> Facing:
    """With whom the caller talks in a room, if it is a direct one; ``what`` as above."""
    if call.services.groups.get(room) == call.app:
        return Facing()
    await call.meet_own("users")
    row = await call.row(queries("blocks")["room"], room, call.user, call.app)
    if row is None:
        return Facing()
    if row["own"]:
        return Facing(Problem(
            "forbidden",
            f"expected somebody whom you do not block; you block this person: remove the block to {what}",
        ))  # fmt: skip
    if row["apart"]:
        return Facing(gone(room))
    if not row["direct"]:
        if len(call.services.groups) >= GROUPS:
            call.services.groups.clear()
        call.services.groups[room] = call.app
    return Facing(None, row["other"], row["there"])


async def kept_out(call: Call, room: str) -> Problem | None:
    """Why the caller does not join a room: it is not shown to them, as its owner, or who invites, and they do not want
    to meet."""
    await call.meet_own("users")
    return None if await call.row(queries("blocks")["kept_out"], room, call.user, call.app) is None else gone(room)


async def team_of_room(call: Call, room: str) -> str | None:
    """The team whose people may come into a room, by the caller: their own; for an application's own server, which
    reaches all rooms, the room's."""
    if call.via is None or not await call.has_teams():
        return await call.team()
    row = await call.sought(lambda: call.row(queries("rooms")["team"], room, call.app), "rooms")
    return None if row is None else row["team"]


def gone(room: str) -> Problem:
    """What is said of a room that is not there, or not for the caller: as decisions say it."""
    refusal = missing(room)
    return Problem(refusal.code, refusal.detail)
