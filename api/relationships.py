"""Friends and blocks."""

from __future__ import annotations

from typing import Any, Literal

from api.blocks import unrelatable
from api.core.calls import Call
from api.core.operation import Operation, Request
from api.invitations import end_between
from api.support import pages
from api.support.pages import LAST_OFFSET, Cursor, Limit, Offset
from api.support.problems import Problem
from events.core.records import Key
from events.relationships import Relation, Relationship, relationship_key
from infra.base.postgres import queries
from infra.base.rows import from_row
from producers.commands import Outcome
from producers.limits import Id
from producers.relationships import SetRelationship
from projectors.views import relationship_view


class RelateRequest(Request, frozen=True, kw_only=True):
    user: Id
    #: What they are to you; null: nothing any more.
    type: Relation | None


class UnrelateRequest(Request, frozen=True, kw_only=True):
    user: Id


class ListRelationshipsRequest(Request, frozen=True, kw_only=True):
    #: ``out``: what you are to others; ``in``: who holds you for a friend.
    direction: Literal["out", "in"] = "out"
    limit: Limit = 100
    cursor: Cursor | None = None


async def relate(call: Call, request: RelateRequest) -> dict[str, Any]:
    problem = await unrelatable(call, request.user, request.type)
    if problem is None and request.type is not None:
        problem = await _room_for(call, request.user)
    command = SetRelationship(user=call.user, other=request.user, type=request.type)
    key = relationship_key(call.user, request.user)
    outcome = await call.submit(command, unless=problem, shows=(key,))
    if request.type == "block" and _stands(outcome, key):
        # A repetition goes on with what the first one may have left undone, and ends nothing that came after it.
        await end_between(call, request.user, outcome.records[-1].time if outcome.repeated else None)
    # What the other asks for is checked against the tables: once this is answered, it holds there.
    await call.meet_own("users")
    relationship = outcome.state[key]
    view = relationship_view(relationship) if isinstance(relationship, Relationship) else None
    return {"relationship": view}


def _stands(outcome: Outcome, key: Key) -> bool:
    """Whether the block is there: what is repeated may have been taken back since."""
    found = (outcome.now if outcome.repeated else outcome.state).get(key)
    return isinstance(found, Relationship) and found.type == "block"


async def _room_for(call: Call, user: str) -> Problem | None:
    """What is said of one more than one may have; a check on the read model, a moment late."""
    most = call.settings.relationships
    [row] = await call.rows(queries("relationships")["count"], call.user, user)
    if row["count"] < most:
        return None
    return Problem(
        "too_many", f"expected at most {most} friends and blocked people, there are as many already; remove some"
    )


async def unrelate(call: Call, request: UnrelateRequest) -> dict[str, Any]:
    return await relate(call, RelateRequest(user=request.user, type=None))


async def list_(call: Call, request: ListRelationshipsRequest) -> dict[str, Any]:
    outgoing = request.direction == "out"
    # One's own stand in one's stream, and so in the order of the log.
    place: tuple[Any, ...] = (
        pages.decode(request.cursor, tuple[Offset], (LAST_OFFSET,)) if outgoing else pages.decode_latest(request.cursor)
    )
    sql = queries("relationships")["outgoing" if outgoing else "incoming"]
    rows = await call.rows(sql, call.user, *place, request.limit + 1)
    found = [from_row(Relationship, row) for row in rows[: request.limit]]
    more = None
    if len(rows) > request.limit:
        last = found[-1]
        more = pages.encode(last.version) if outgoing else pages.encode(last.updated, last.user)
    return {"relationships": [relationship_view(one) for one in found], "next": more}


OPERATIONS = [
    Operation("relationships.list", "GET", "/v1/users/me/relationships", "user", ListRelationshipsRequest, list_,
              "Your friends and the people you block, or who has you as a friend",
              {"relationships": "[Relationship]", "next": "cursor"}),
    Operation("relationships.set", "PUT", "/v1/users/me/relationships/{user}", "user", RelateRequest, relate,
              "Befriend or block a user, or (null) neither", {"relationship": "Relationship"}, limit="relate"),
    Operation("relationships.remove", "DELETE", "/v1/users/me/relationships/{user}", "user", UnrelateRequest, unrelate,
              "Remove a friend or a block", {"relationship": "Relationship"}, limit="relate"),
]  # fmt: skip
