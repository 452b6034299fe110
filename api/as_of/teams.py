"""Teams as of a moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.core.calls import Call
from api.core.moments import AsOf
from api.core.operation import AnswerAsOf
from api.support import pages
from api.teams import GetTeamRequest, ListTeamsRequest, whose
from events.teams import Team, loaded_team, team_key
from infra.base.event_types import naming
from producers.teams import missing_team
from projectors.as_of import people
from projectors.views import team_view

_TYPES = naming("team")


async def _teams(as_of: AsOf, apps: Mapping[str, str]) -> list[Team]:
    """Those of some teams that there were, by id; ``apps``: whose each is."""
    streams = {team_key(id): app for id, app in apps.items()}
    found = await people.entities(as_of.connection, as_of.moment, streams, _TYPES, list(apps))
    there = (loaded_team(found, id) for id in sorted(apps) if team_key(id) in found)
    return [one for one in there if one is not None]


async def get(call: Call, request: GetTeamRequest, as_of: AsOf) -> dict[str, Any]:
    row = await as_of.row("teams", "whose", request.team)
    known = row is not None and call.reaches(row["app"])
    found = await _teams(as_of, {request.team: row["app"]}) if row is not None and known else []
    if not found:
        raise missing_team(request.team)
    return {"team": team_view(found[0])}


async def list_(call: Call, request: ListTeamsRequest, as_of: AsOf) -> dict[str, Any]:
    """By id. A page may have less than it could: what was made later, or removed before, is looked at too."""
    app = whose(call, request.app)
    rows = await as_of.rows("teams", "any_page", app, pages.decode_id(request.cursor), request.limit + 1)
    page, more = pages.by_id(rows, request.limit)
    found = await _teams(as_of, {row["id"]: app for row in page})
    return {"teams": [team_view(one) for one in found], "next": more}


#: By operation, for its row.
AS_OF: dict[str, AnswerAsOf] = {"teams.get": get, "teams.list": list_}
