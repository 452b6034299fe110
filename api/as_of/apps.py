"""Applications as of a moment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from api.apps import GetAppRequest, ListAppsRequest, next_after, page, place
from api.core.calls import Call
from api.core.moments import AsOf
from api.core.operation import AnswerAsOf
from events.apps import App, app_key, default_app
from events.core.derived_ids import DEFAULT_APP
from infra.base.event_types import naming
from producers.apps import missing_app
from projectors.as_of import people
from projectors.views import app_view

_TYPES = naming("app")


async def _apps(as_of: AsOf, ids: Iterable[str]) -> list[App]:
    """Those of the ids that there were; the default one always was."""
    streams = {app_key(id): id for id in ids}
    found = await people.entities(as_of.connection, as_of.moment, streams, _TYPES)
    there = (found.get(key) or (default_app() if id == DEFAULT_APP else None) for key, id in streams.items())
    return [one for one in there if isinstance(one, App)]


async def get(call: Call, request: GetAppRequest, as_of: AsOf) -> dict[str, Any]:
    found = await _apps(as_of, [request.app])
    if not found:
        raise missing_app(request.app)
    return {"app": app_view(found[0])}


async def list_(call: Call, request: ListAppsRequest, as_of: AsOf) -> dict[str, Any]:
    """By id. A page may have less than it could: what was made later is looked at too."""
    after = place(request)
    first = [DEFAULT_APP] if after is None else []
    rows = await as_of.rows("apps", "page", after or "", request.limit - len(first) + 1)
    ids = [*first, *(row["id"] for row in rows)]
    answer = page(request, await _apps(as_of, ids[: request.limit]))
    if len(ids) > request.limit:
        answer["next"] = next_after(ids[request.limit - 1])
    return answer


#: By operation, for its row.
AS_OF: dict[str, AnswerAsOf] = {"apps.get": get, "apps.list": list_}
