"""Visual characters."""

from __future__ import annotations

from typing import Any

import msgspec

from api import profiles
from api.core.calls import Call
from api.core.operation import Operation, Request
from api.support import pages
from api.support.ids import Ids, ids_of
from api.support.pages import Cursor, Limit
from api.support.problems import Problem
from events.core.faults import wrong
from events.users import User, user_key
from events.visuals import Visual, VisualCreated, as_created, visual_key
from infra.base.postgres import queries
from infra.base.rows import from_row
from producers.limits import Id, Object
from producers.users import ChooseVisual
from producers.visuals import ChangeVisual, CreateVisual, EmotionData
from projectors.views import self_view, visual_view


class CreateVisualRequest(Request, frozen=True, kw_only=True):
    #: How the character looks: any JSON object, as your apps read it.
    model_data: Object
    #: How it shows emotions, by their names: for each true, false or its settings.
    emotion_data: EmotionData = {}


class ChangeVisualRequest(Request, frozen=True, kw_only=True):
    visual: Id
    #: All of how it looks; without it, that stays.
    model_data: Object | None = None
    #: All of how it shows emotions; without it, that stays.
    emotion_data: EmotionData | None = None


class ChooseVisualRequest(Request, frozen=True, kw_only=True):
    #: A visual that exists; null links none. Either this or `model_data`.
    visual_id: Id | msgspec.UnsetType | None = msgspec.UNSET
    #: Instead: a new visual, made and linked in one step.
    model_data: Object | None = None
    #: With `model_data`: how the new visual shows emotions.
    emotion_data: EmotionData | None = None


class GetVisualRequest(Request, frozen=True, kw_only=True):
    visual: Id


class ListVisualsRequest(Request, frozen=True, kw_only=True):
    #: Comma-separated ids of anybody's visual characters, at most 100 different ones; those that you may not see are
    #: left out. Without it, your own.
    ids: Ids | None = None
    limit: Limit = 100
    cursor: Cursor | None = None


async def create(call: Call, request: CreateVisualRequest) -> dict[str, Any]:
    outcome = await call.submit(
        CreateVisual(user=call.user, model_data=request.model_data, emotion_data=request.emotion_data), shows=()
    )
    # From the event: the same when the command is repeated.
    return {"visual": visual_view(as_created(outcome.record(VisualCreated)))}


async def change(call: Call, request: ChangeVisualRequest) -> dict[str, Any]:
    outcome = await call.submit(
        ChangeVisual(
            user=call.user, visual=request.visual, model_data=request.model_data, emotion_data=request.emotion_data
        ),
        shows=(visual_key(request.visual),),
    )
    return {"visual": visual_view(outcome.entity(Visual, visual_key(request.visual)))}


async def choose(call: Call, request: ChooseVisualRequest) -> dict[str, Any]:
    shows = (user_key(call.user),)
    if request.model_data is not None:
        if request.visual_id is not msgspec.UNSET and request.visual_id is not None:
            errors = [
                wrong(f"/{name}", "either visual_id or model_data", "both") for name in ("visual_id", "model_data")
            ]
            raise Problem("invalid", "expected either visual_id or model_data, got both", errors=errors)
        outcome = await call.submit(
            CreateVisual(
                user=call.user, model_data=request.model_data, emotion_data=request.emotion_data or {}, choose=True
            ),
            shows=shows,
        )
    else:
        if request.emotion_data is not None:
            raise Problem("invalid", errors=[wrong("/emotion_data", "it together with model_data", "it alone")])
        if request.visual_id is msgspec.UNSET:
            # A body that was forgotten must not take away what is there.
            what = "either visual_id (null for none) or model_data"
            errors = [wrong(f"/{name}", what, "nothing") for name in ("visual_id", "model_data")]
            raise Problem("invalid", f"expected {what}, got neither", errors=errors)
        wanted = request.visual_id
        problem = None if wanted is None or await _find(call, wanted) is not None else _gone(wanted)
        outcome = await call.submit(ChooseVisual(user=call.user, visual=wanted), unless=problem, shows=shows)
    return {"user": self_view(outcome.entity(User, user_key(call.user)))}


async def _find(call: Call, visual: str) -> Visual | None:
    """The visual as the caller sees it, also one that was made a moment ago, anywhere."""
    return await call.sought(lambda: _one(call, visual), "users")


def _gone(visual: str) -> Problem:
    return Problem("not_found", f"expected a visual, found none with id {visual}")


async def _one(call: Call, visual: str) -> Visual | None:
    """The same, as the read models have it."""
    team = await call.team()
    async with call.reading() as connection:
        row = await connection.fetchrow(queries("visuals")["by_id"], visual, call.app, team)
        if row is None:
            return None
        blocks = await profiles.apart(connection, call.user)
        return await profiles.visual_seen(connection, blocks, from_row(Visual, row))


async def get(call: Call, request: GetVisualRequest) -> dict[str, Any]:
    found = await _find(call, request.visual)
    if found is None:
        raise _gone(request.visual)
    return {"visual": visual_view(found)}


async def _several(call: Call, ids: list[str]) -> list[Visual]:
    """Those of the ids that the caller sees, in their order."""
    team = await call.team()
    async with call.reading() as connection:
        rows = await connection.fetch(queries("visuals")["by_ids"], ids, call.app, team)
        blocks = await profiles.apart(connection, call.user)
        found = {}
        for row in rows:
            if (seen := await profiles.visual_seen(connection, blocks, from_row(Visual, row))) is not None:
                found[seen.id] = seen
    return [found[id] for id in ids if id in found]


async def list_(call: Call, request: ListVisualsRequest) -> dict[str, Any]:
    if request.ids is not None:
        ids = ids_of("ids", request.ids)
        several = await call.sought(
            lambda: _several(call, ids), "users", enough=lambda found: len(found) >= len(ids)
        )  # fmt: skip
        return {"visuals": [visual_view(one) for one in several], "next": None}
    after = pages.decode_id(request.cursor)
    rows = await call.rows(queries("visuals")["of_owner"], call.user, after, request.limit + 1)
    found, more = pages.by_id(rows, request.limit)
    return {"visuals": [visual_view(from_row(Visual, row)) for row in found], "next": more}


OPERATIONS = [
    Operation("visuals.create", "POST", "/v1/visuals", "user", CreateVisualRequest, create,
              "Make a visual character", {"visual": "Visual"}, 201, limit="create"),
    Operation("visuals.list", "GET", "/v1/visuals", "user", ListVisualsRequest, list_,
              "Your visual characters, or several by id", {"visuals": "[Visual]", "next": "cursor"}),
    Operation("visuals.get", "GET", "/v1/visuals/{visual}", "user", GetVisualRequest, get,
              "A visual character", {"visual": "Visual"}),
    Operation("visuals.change", "PATCH", "/v1/visuals/{visual}", "user", ChangeVisualRequest, change,
              "Change your visual character", {"visual": "Visual"}),
    Operation("visuals.choose", "PUT", "/v1/users/me/visual", "user", ChooseVisualRequest, choose,
              "Link a visual character, or make one and link it", {"user": "Self"}),
]  # fmt: skip
