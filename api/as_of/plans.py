"""Plans as of a moment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from api.core.calls import Call
from api.core.moments import AsOf
from api.core.operation import AnswerAsOf
from api.plans import ListPlansRequest, PlanRequest
from api.support import pages
from events.plans import Plan, plan_key
from infra.base.event_types import naming
from producers.plans import missing_plan
from projectors.as_of import people
from projectors.views import plan_view

_TYPES = naming("plan")


async def _plans(as_of: AsOf, ids: Iterable[str]) -> list[Plan]:
    """Those of the ids that there were."""
    found = await people.entities(as_of.connection, as_of.moment, {plan_key(id): id for id in ids}, _TYPES)
    return [one for one in found.values() if isinstance(one, Plan)]


async def get(call: Call, request: PlanRequest, as_of: AsOf) -> dict[str, Any]:
    found = await _plans(as_of, [request.plan])
    if not found:
        raise missing_plan(request.plan)
    return {"plan": plan_view(found[0])}


async def list_(call: Call, request: ListPlansRequest, as_of: AsOf) -> dict[str, Any]:
    """By id. A page may have less than it could: what was made later is looked at too."""
    rows = await as_of.rows("plans", "page", pages.decode_id(request.cursor), request.limit + 1)
    page, more = pages.by_id(rows, request.limit)
    found = await _plans(as_of, [row["id"] for row in page])
    return {"plans": [plan_view(one) for one in found], "next": more}


#: By operation, for its row.
AS_OF: dict[str, AnswerAsOf] = {"plans.get": get, "plans.list": list_}
