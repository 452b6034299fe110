"""Users, relationships and visuals as of a moment: what the caller might see then, and may see now."""

from __future__ import annotations

from typing import Any

from api import profiles
from api.core.calls import Call
from api.core.moments import AsOf
from api.core.operation import AnswerAsOf, NoParameters
from api.relationships import ListRelationshipsRequest as ListRelationships
from api.support import pages
from api.support.ids import ids_of
from api.support.problems import Problem
from api.users import FindUsers, GetUser, asked
from api.visuals import GetVisualRequest as GetVisual
from api.visuals import ListVisualsRequest as ListVisuals
from events.core.faults import wrong
from events.relationships import Relationship
from events.visuals import Visual
from projectors.as_of import people
from projectors.views import View, relationship_view, self_view, visual_view

#: Relationships that one request looks at, by steps; the page is short then, or empty, and its cursor goes on.
SCAN, STEP = 1000, 100


async def find(call: Call, request: FindUsers, as_of: AsOf) -> dict[str, Any]:
    if request.ids is None:
        what = "none with `name`, as a search by name uses present names: ask for `ids`"
        raise Problem("invalid", errors=[wrong("/as_of", what, "both")])
    found = await _shown(call, as_of, asked(request))
    return {"users": found, "next": None}


async def _shown(call: Call, as_of: AsOf, ids: list[str]) -> list[View]:
    """Those of the ids who may be shown: now by the rule of the present, and then by the same."""
    team = await call.team()
    now = [row["id"] for row in await as_of.rows("users", "by_id", ids, call.user, call.app, team)]
    pairs = [pair for id in now for pair in ((id, call.user), (call.user, id)) if id != call.user]
    between = await people.relationships(as_of.connection, as_of.moment, pairs)
    hidden = {one.user for one in between if one.type == "block"} - {one.other for one in between} - {call.user}
    if hidden:
        hidden -= {row["user"] for row in await as_of.rows("blocks", "together", sorted(hidden), call.user)}
    found = await people.users(as_of.connection, as_of.moment, [id for id in now if id not in hidden])
    users = [found[id] for id in sorted(found) if found[id].team == team]
    return await profiles.of_users_then(as_of.connection, as_of.moment, call.user, users)


async def me(call: Call, request: NoParameters, as_of: AsOf) -> dict[str, Any]:
    found = await people.users(as_of.connection, as_of.moment, [call.user])
    if call.user not in found:
        raise Problem("not_found", f"expected your own user, which was not registered yet as of {as_of.moment}")
    return {"user": self_view(found[call.user])}


async def get(call: Call, request: GetUser, as_of: AsOf) -> dict[str, Any]:
    if request.user == call.user:
        return await me(call, NoParameters(), as_of)
    found = await _shown(call, as_of, [request.user])
    if not found:
        raise Problem("not_found", f"expected a user, found none with id {request.user} as of {as_of.moment}")
    return {"user": found[0]}


async def relationships(call: Call, request: ListRelationships, as_of: AsOf) -> dict[str, Any]:
    """By id: the order of the present, the latest change first, would take all of them as they were."""
    place = pages.decode_id(request.cursor)
    found: list[dict[str, Any]] = []
    for _ in range(0, SCAN, STEP):
        size = min(STEP, request.limit - len(found))
        listed = await as_of.rows("past", _WAYS[request.direction], call.user, place, size + 1)
        step = [(row["user"], row["other"]) for row in listed[:size]]
        found += [relationship_view(one) for one in await _related(call, as_of, step)]
        if len(listed) <= size:
            return {"relationships": found, "next": None}
        place = step[-1][1 if request.direction == "out" else 0]
        if len(found) == request.limit:
            break
    return {"relationships": found, "next": pages.encode(place)}


_WAYS = {"out": "outgoing", "in": "incoming"}


async def _related(call: Call, as_of: AsOf, pairs: list[tuple[str, str]]) -> list[Relationship]:
    """What there was between the pairs as the caller may see it: of others' towards the caller friendships only, and
    not those of whom the caller blocked then."""
    found = {(one.user, one.other): one for one in await people.relationships(as_of.connection, as_of.moment, pairs)}
    friends = [pair for pair in pairs if pair[0] != call.user and pair in found and found[pair].type == "friend"]
    mine = await people.relationships(as_of.connection, as_of.moment, [(call.user, user) for user, _ in friends])
    blocked = {one.other for one in mine if one.type == "block"}
    others = [_far(call, pair) for pair in found]
    there = await profiles.of_team(call, as_of.connection, others)
    return [
        found[pair]
        for pair in pairs
        if pair in found
        and (_far(call, pair) in there or (pair[0] == call.user and found[pair].type == "block"))
        and (pair[0] == call.user or (pair in friends and pair[0] not in blocked))
    ]


def _far(call: Call, pair: tuple[str, str]) -> str:
    """The other of the two."""
    return pair[1] if pair[0] == call.user else pair[0]


async def visual(call: Call, request: GetVisual, as_of: AsOf) -> dict[str, Any]:
    found = await _seen(call, as_of, [request.visual])
    if not found:
        raise Problem("not_found", f"expected a visual, found none with id {request.visual} as of {as_of.moment}")
    return {"visual": visual_view(found[0])}


async def _seen(call: Call, as_of: AsOf, ids: list[str]) -> list[Visual]:
    """Those of some visuals that the caller may see, as they were, in the order of the ids."""
    past = await people.visuals(as_of.connection, as_of.moment, ids, call.app)
    owners = await profiles.of_team(call, as_of.connection, {one.owner for one in past})
    found = {one.id: one for one in past if one.owner in owners}
    blocks = await profiles.apart_then(as_of.connection, as_of.moment, call.user, owners)
    shown = [await profiles.visual_seen(as_of.connection, blocks, found[id]) for id in ids if id in found]
    return [one for one in shown if one is not None]


async def visuals(call: Call, request: ListVisuals, as_of: AsOf) -> dict[str, Any]:
    """By id. A page may have less than it could: what was made later is looked at too."""
    if request.ids is not None:
        return {
            "visuals": [visual_view(one) for one in await _seen(call, as_of, ids_of("ids", request.ids))],
            "next": None,
        }
    after = pages.decode_id(request.cursor)
    page, more = pages.by_id(await as_of.rows("past", "visuals_of", call.user, after, request.limit + 1), request.limit)
    found = await people.visuals(as_of.connection, as_of.moment, [row["id"] for row in page])
    return {"visuals": [visual_view(one) for one in sorted(found, key=lambda one: one.id)], "next": more}


#: By operation, for its row.
AS_OF: dict[str, AnswerAsOf] = {
    "users.find": find,
    "users.me": me,
    "users.get": get,
    "relationships.list": relationships,
    "visuals.list": visuals,
    "visuals.get": visual,
}
