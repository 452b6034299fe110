"""Users, relationships and visuals as of a moment: what the caller might see then, and may see now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from api import pages
from api.calls import Call
from api.past.moments import Then
from api.problems import Problem
from api.relationships import List as ListRelationships
from api.surface import Nothing
from api.users import FindUsers, GetUser, ids_of
from api.visuals import Get as GetVisual
from api.visuals import List as ListVisuals
from events.users import User
from projectors.past import people
from projectors.views import relationship_view, self_view, user_view, visual_view


async def find(call: Call, request: FindUsers, then: Then) -> dict[str, Any]:
    if request.ids is None:
        raise Problem("invalid", "as_of: expected it with `ids`; a search by name looks at present names")
    found = await _shown(call, then, ids_of(request))
    return {"users": [user_view(user) for user in found], "next": None}


async def _shown(call: Call, then: Then, ids: list[str]) -> list[User]:
    """Those of the ids who may be shown: now by the rule of the present, then unless a block stood between."""
    now = [row["id"] for row in await then.rows("users", "by_id", ids, call.user)]
    pairs = [pair for id in now for pair in ((id, call.user), (call.user, id)) if id != call.user]
    apart = [one for one in await people.relationships(then.connection, then.moment, pairs) if one.type == "block"]
    hidden = {one.user for one in apart} | {one.other for one in apart} - {call.user}
    found = await people.users(then.connection, then.moment, now)
    return [found[id] for id in sorted(found) if id not in hidden - {call.user}]


async def me(call: Call, request: Nothing, then: Then) -> dict[str, Any]:
    found = await people.users(then.connection, then.moment, [call.user])
    if call.user not in found:
        raise Problem("not_found", f"expected your own user, which was not registered yet as of {then.moment}")
    return {"user": self_view(found[call.user])}


async def get(call: Call, request: GetUser, then: Then) -> dict[str, Any]:
    if request.user == call.user:
        return await me(call, Nothing(), then)
    found = await _shown(call, then, [request.user])
    if not found:
        raise Problem("not_found", f"expected a user, found none with id {request.user} as of {then.moment}")
    return {"user": user_view(found[0])}


async def relationships(call: Call, request: ListRelationships, then: Then) -> dict[str, Any]:
    """Who is blocked now is left out of those who held the caller for a friend, as is who was blocked then."""
    rows = await then.rows("past", "outgoing" if request.direction == "out" else "incoming", call.user)
    pairs = [(row["user"], row["other"]) for row in rows]
    found = await people.relationships(then.connection, then.moment, pairs)
    if request.direction == "out":
        views = [(one.updated, one.other, relationship_view(one)) for one in found]
    else:
        friends = [one for one in found if one.type == "friend"]
        mine = await people.relationships(then.connection, then.moment, [(call.user, one.user) for one in friends])
        blocked = {one.other for one in mine if one.type == "block"}
        views = [(one.updated, one.user, relationship_view(one)) for one in friends if one.user not in blocked]
    page, more = latest(views, request.cursor, request.limit)
    return {"relationships": page, "next": more}


def latest(
    views: Iterable[tuple[str, str, dict[str, Any]]], cursor: str | None, limit: int
) -> tuple[list[dict[str, Any]], str | None]:
    """A page of views, each with a time and an id, the latest first, and the cursor after it."""
    place = pages.decode_latest(cursor)
    found = sorted((one for one in views if one[:2] < place), key=lambda one: one[:2], reverse=True)
    more = pages.encode(*found[limit - 1][:2]) if len(found) > limit else None
    return [view for _, _, view in found[:limit]], more


async def visual(call: Call, request: GetVisual, then: Then) -> dict[str, Any]:
    found = await people.visuals(then.connection, then.moment, [request.visual])
    if not found:
        raise Problem("not_found", f"expected a visual, found none with id {request.visual} as of {then.moment}")
    return {"visual": visual_view(found[0])}


async def visuals(call: Call, request: ListVisuals, then: Then) -> dict[str, Any]:
    ids = [row["id"] for row in await then.rows("past", "visuals_of", call.user)]
    found = sorted(await people.visuals(then.connection, then.moment, ids), key=lambda one: one.id)
    found = [one for one in found if one.id > (request.cursor or "")]
    views = [visual_view(one) for one in found[: request.limit]]
    return {"visuals": views, "next": views[-1]["id"] if len(found) > request.limit else None}
