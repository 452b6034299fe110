"""Visual characters."""

from __future__ import annotations

from typing import Any

from api import pages, profiles
from api.calls import Call
from api.pages import Cursor, Limit, Text
from api.problems import Problem
from api.surface import Operation, Request
from events.records import Record
from events.users import User, user_key
from events.visuals import Visual, created, visual_key
from infra.postgres import queries
from infra.rows import from_row
from producers.limits import Id, Object
from producers.users import ChooseVisual
from producers.visuals import ChangeVisual, CreateVisual
from projectors.views import self_view, visual_view


class Create(Request, frozen=True, kw_only=True):
    model_data: Object
    emotion_data: Object = {}


class Change(Request, frozen=True, kw_only=True):
    visual: Id
    model_data: Object | None = None
    emotion_data: Object | None = None


class Choose(Request, frozen=True, kw_only=True):
    #: A visual that exists; null links none.
    visual_id: Id | None = None
    #: Instead: a new visual, made and linked in one step.
    model_data: Object | None = None
    emotion_data: Object | None = None


class Get(Request, frozen=True, kw_only=True):
    visual: Id


class List(Request, frozen=True, kw_only=True):
    limit: Limit = 100
    cursor: Cursor | None = None


async def create(call: Call, request: Create) -> dict[str, Any]:
    outcome = await call.submit(
        CreateVisual(user=call.user, model_data=request.model_data, emotion_data=request.emotion_data), shows=()
    )
    return {"visual": visual_view(_made(outcome.records[0]))}


def _made(record: Record) -> Visual:
    """The visual as it was first made, also when the command is repeated."""
    (visual,) = created(record, {}).values()
    assert isinstance(visual, Visual)
    return visual


async def change(call: Call, request: Change) -> dict[str, Any]:
    outcome = await call.submit(
        ChangeVisual(
            user=call.user, visual=request.visual, model_data=request.model_data, emotion_data=request.emotion_data
        ),
        shows=(visual_key(request.visual),),
    )
    visual = outcome.state[visual_key(request.visual)]
    assert isinstance(visual, Visual)
    return {"visual": visual_view(visual)}


async def choose(call: Call, request: Choose) -> dict[str, Any]:
    shows = (user_key(call.user),)
    if request.model_data is not None:
        if request.visual_id is not None:
            raise Problem("invalid", "expected either visual_id or model_data, got both")
        outcome = await call.submit(
            CreateVisual(
                user=call.user, model_data=request.model_data, emotion_data=request.emotion_data or {}, choose=True
            ),
            shows=shows,
        )
    else:
        if request.emotion_data is not None:
            raise Problem("invalid", "emotion_data: expected it together with model_data")
        wanted = request.visual_id
        problem = None if wanted is None or await _find(call, wanted) is not None else _gone(wanted)
        outcome = await call.submit(ChooseVisual(user=call.user, visual=wanted), unless=problem, shows=shows)
    user = outcome.state[user_key(call.user)]
    assert isinstance(user, User)
    return {"user": self_view(user)}


async def _find(call: Call, visual: str) -> Visual | None:
    """The visual as the caller sees it, also one that was made a moment ago, anywhere."""
    found = await _one(call, visual)
    if found is None and await call.see_all("users"):
        found = await _one(call, visual)
    return found


def _gone(visual: str) -> Problem:
    return Problem("not_found", f"expected a visual, found none with id {visual}")


async def _one(call: Call, visual: str) -> Visual | None:
    """The same, as the read models have it."""
    async with call.reading() as connection:
        row = await connection.fetchrow(queries("visuals")["by_id"], visual)
        found = None if row is None else from_row("visual", row)
        if not isinstance(found, Visual):
            return None
        return await profiles.visual_seen(connection, await profiles.apart(connection, call.user), found)


async def get(call: Call, request: Get) -> dict[str, Any]:
    found = await _find(call, request.visual)
    if found is None:
        raise _gone(request.visual)
    return {"visual": visual_view(found)}


def place(request: List) -> str:
    """The id that the page comes after. Raises Problem ``invalid``."""
    (after,) = pages.decode(request.cursor, tuple[Text], ("",))
    return after


async def list_(call: Call, request: List) -> dict[str, Any]:
    rows = await call.rows(queries("visuals")["of_owner"], call.user, place(request), request.limit + 1)
    found = [one for row in rows[: request.limit] if isinstance(one := from_row("visual", row), Visual)]
    views = [visual_view(one) for one in found]
    return {"visuals": views, "next": pages.encode(found[-1].id) if len(rows) > request.limit else None}


OPERATIONS = [
    Operation("visuals.create", "POST", "/v1/visuals", "user", Create, create,
              "Make a visual character", {"visual": "Visual"}, 201, limit="create"),
    Operation("visuals.list", "GET", "/v1/visuals", "user", List, list_,
              "Your visual characters", {"visuals": "[Visual]", "next": "cursor"}),
    Operation("visuals.get", "GET", "/v1/visuals/{visual}", "user", Get, get,
              "A visual character", {"visual": "Visual"}),
    Operation("visuals.change", "PATCH", "/v1/visuals/{visual}", "user", Change, change,
              "Change your visual character", {"visual": "Visual"}),
    Operation("visuals.choose", "PUT", "/v1/users/me/visual", "user", Choose, choose,
              "Link a visual character, or make one and link it", {"user": "Self"}),
]  # fmt: skip
