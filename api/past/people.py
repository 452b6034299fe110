"""Users, relationships and visuals as of a moment: what the caller might see then, and may see now."""

from __future__ import annotations

from typing import Any

from api import pages, profiles
from api.calls import Call
from api.pages import Text
from api.past.moments import Then
from api.problems import Problem
from api.relationships import List as ListRelationships
from api.surface import Nothing
from api.users import FindUsers, GetUser, ids_of
from api.visuals import Get as GetVisual
from api.visuals import List as ListVisuals
from api.visuals import place as visuals_after
from events.relationships import Relationship
from projectors.past import people
from projectors.views import View, relationship_view, self_view, visual_view

#: Relationships that one request looks at, by steps; the page is short then, or empty, and its cursor goes on.
SCAN, STEP = 1000, 100


async def find(call: Call, request: FindUsers, then: Then) -> dict[str, Any]:
    if request.ids is None:
        raise Problem("invalid", "as_of: expected it with `ids`; a search by name looks at present names")
    found = await _shown(call, then, ids_of(request))
    return {"users": found, "next": None}


async def _shown(call: Call, then: Then, ids: list[str]) -> list[View]:
    """Those of the ids who may be shown: now by the rule of the present, and then by the same."""
    now = [row["id"] for row in await then.rows("users", "by_id", ids, call.user)]
    pairs = [pair for id in now for pair in ((id, call.user), (call.user, id)) if id != call.user]
    between = await people.relationships(then.connection, then.moment, pairs)
    hidden = {one.user for one in between if one.type == "block"} - {one.other for one in between} - {call.user}
    if hidden:
        hidden -= {row["user"] for row in await then.rows("blocks", "together", sorted(hidden), call.user)}
    found = await people.users(then.connection, then.moment, [id for id in now if id not in hidden])
    return await profiles.of_users_then(then.connection, then.moment, call.user, [found[id] for id in sorted(found)])


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
    return {"user": found[0]}


async def relationships(call: Call, request: ListRelationships, then: Then) -> dict[str, Any]:
    """By id: the order of the present, the latest change first, would take all of them as they were."""
    (place,) = pages.decode(request.cursor, tuple[Text], ("",))
    found: list[dict[str, Any]] = []
    for _ in range(0, SCAN, STEP):
        size = min(STEP, request.limit - len(found))
        listed = await then.rows("past", _WAYS[request.direction], call.user, place, size + 1)
        step = [(row["user"], row["other"]) for row in listed[:size]]
        found += [relationship_view(one) for one in await _related(call, then, step)]
        if len(listed) <= size:
            return {"relationships": found, "next": None}
        place = step[-1][1 if request.direction == "out" else 0]
        if len(found) == request.limit:
            break
    return {"relationships": found, "next": pages.encode(place)}


_WAYS = {"out": "outgoing", "in": "incoming"}


async def _related(call: Call, then: Then, pairs: list[tuple[str, str]]) -> list[Relationship]:
    """What there was between the pairs as the caller may see it: of others' towards the caller friendships only, and
    not those of whom the caller blocked then."""
    found = {(one.user, one.other): one for one in await people.relationships(then.connection, then.moment, pairs)}
    friends = [pair for pair in pairs if pair[0] != call.user and pair in found and found[pair].type == "friend"]
    mine = await people.relationships(then.connection, then.moment, [(call.user, user) for user, _ in friends])
    blocked = {one.other for one in mine if one.type == "block"}
    return [
        found[pair]
        for pair in pairs
        if pair in found and (pair[0] == call.user or (pair in friends and pair[0] not in blocked))
    ]


async def visual(call: Call, request: GetVisual, then: Then) -> dict[str, Any]:
    found = await people.visuals(then.connection, then.moment, [request.visual])
    seen = None
    if found:
        blocks = await profiles.apart_then(then.connection, then.moment, call.user, [found[0].owner])
        seen = await profiles.visual_seen(then.connection, blocks, found[0])
    if seen is None:
        raise Problem("not_found", f"expected a visual, found none with id {request.visual} as of {then.moment}")
    return {"visual": visual_view(seen)}


async def visuals(call: Call, request: ListVisuals, then: Then) -> dict[str, Any]:
    """By id. A page may have less than it could: what was made later is looked at too."""
    listed = await then.rows("past", "visuals_of", call.user, visuals_after(request), request.limit + 1)
    ids = [row["id"] for row in listed[: request.limit]]
    found = sorted(await people.visuals(then.connection, then.moment, ids), key=lambda one: one.id)
    return {
        "visuals": [visual_view(one) for one in found],
        "next": pages.encode(ids[-1]) if len(listed) > request.limit else None,
    }
