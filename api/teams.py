"""Teams of an application, and who is in one: for its own server, and for operators."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from api.core.calls import Call
from api.core.operation import Operation, Request
from api.moving import leave_others
from api.support import pages
from api.support.pages import Cursor, Limit
from api.support.problems import Problem
from events.core.clock import uuid7
from events.core.derived_ids import derived_id
from events.teams import Team, TeamCreated, as_created, team_key
from events.users import User, user_key
from infra.base.postgres import Row, queries
from infra.base.rows import from_row
from producers.apps import missing_app
from producers.commands import ANY_APP, Refused
from producers.limits import Custom, CustomPatch, ExternalId, Id, ShownName
from producers.teams import ChangeTeam, CreateTeam, RemoveTeam, RestoreTeam, SetTeam, missing_team
from projectors.views import team_view, user_view


class CreateTeamRequest(Request, frozen=True, kw_only=True):
    #: What you call it; the team's id follows from it and the application.
    external_id: ExternalId
    #: One line, for people of the application's owner.
    name: ShownName
    #: A JSON object of your own: at most 5 KiB, 5 levels, 100 names in all. A name with null is left out.
    custom: Custom = {}
    #: Of operators: whose team it is, without it the default application's. A server's is its own.
    app: Id | None = None


class GetTeamRequest(Request, frozen=True, kw_only=True):
    team: Id


class ListTeamsRequest(Request, frozen=True, kw_only=True):
    #: Of operators: whose teams, without it the default application's. A server's are its own.
    app: Id | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


class ChangeTeamRequest(Request, frozen=True, kw_only=True):
    team: Id
    #: What it is to be called; without it, the name stays.
    name: ShownName | None = None
    #: A JSON merge patch (RFC 7396) of the object: null removes a name, an object is merged, all else takes its place.
    custom: CustomPatch | None = None


class SetTeamRequest(Request, frozen=True, kw_only=True):
    user: Id
    #: Id of the team; null: none.
    team: Id | None


def whose(call: Call, app: str | None) -> str:
    """The application that is meant. Raises Refused ``not_found`` for one of which the caller must not know."""
    if app is None or app == call.reach:
        return call.app
    if call.reach != ANY_APP:
        raise missing_app(app)
    return app


async def find(call: Call, id: str) -> Team:
    """A team in use that the caller may know, also one that was made a moment ago. Raises Refused ``not_found``."""
    # One of another application is sought as long as one that is not there: the time would tell of it.
    row = await call.sought(lambda: _in_reach(call, id), "apps")
    if row is None:
        raise missing_team(id)
    return from_row(Team, row)


async def _in_reach(call: Call, id: str) -> Row | None:
    row = await call.row(queries("teams")["by_id"], id)
    return row if row is not None and call.reaches(row["app"]) else None


async def known(call: Call, ids: Collection[str]) -> set[str]:
    """Those of some ids that are teams of the caller's application, also some that were made a moment ago."""
    if not ids:
        return set()
    rows = await call.sought(
        lambda: call.rows(queries("teams")["among"], list(ids), call.app), "apps",
        enough=lambda rows: len(rows) >= len(ids),
    )  # fmt: skip
    return {row["id"] for row in rows}


async def still(call: Call, ids: Collection[str]) -> set[str]:
    """Those of some ids that are teams of the caller's application by all that was decided before now. Asked once
    somebody was put into one: it may have been removed meanwhile. Raises Problem ``lagging``."""
    if not ids:
        return set()
    if not await call.see_all("apps"):
        raise Problem("lagging", "expected the read models to have all of the log within a second")
    return {row["id"] for row in await call.rows(queries("teams")["among"], list(ids), call.app)}


async def create(call: Call, request: CreateTeamRequest) -> dict[str, Any]:
    app = whose(call, request.app)
    team = derived_id(app, "team", request.external_id)
    outcome = await call.submit(
        CreateTeam(app=app, team=team, external=request.external_id, name=request.name, custom=request.custom),
        shows=(),
    )
    # Once this is answered, the application is known to have teams.
    await call.meet_own("apps")
    # From the event: the same when the command is repeated.
    return {"team": team_view(as_created(outcome.record(TeamCreated)))}


async def get(call: Call, request: GetTeamRequest) -> dict[str, Any]:
    return {"team": team_view(await find(call, request.team))}


async def list_(call: Call, request: ListTeamsRequest) -> dict[str, Any]:
    app, after = whose(call, request.app), pages.decode_id(request.cursor)
    rows = await call.rows(queries("teams")["page"], app, after, request.limit + 1)
    found, more = pages.by_id(rows, request.limit)
    return {"teams": [team_view(from_row(Team, row)) for row in found], "next": more}


async def change(call: Call, request: ChangeTeamRequest) -> dict[str, Any]:
    app, key = await _known(call, request.team) or call.app, team_key(request.team)
    command = ChangeTeam(app=app, team=request.team, name=request.name, custom=request.custom)
    outcome = await call.submit(command, shows=(key,))
    return {"team": team_view(outcome.entity(Team, key))}


async def remove(call: Call, request: GetTeamRequest) -> None:
    app = await _known(call, request.team)
    problem = None if app is None else await _occupied(call, request.team)
    outcome = await call.submit(RemoveTeam(app=app or call.app, team=request.team), unless=problem, shows=())
    await call.meet_own("apps")
    late = None if outcome.repeated else await _occupied(call, request.team)
    if late is not None:
        # Whoever was put into it meanwhile found it there: it stays, as if that had come first.
        await call.step(RestoreTeam(app=app or call.app, team=request.team), key=uuid7())
        await call.meet_own("apps")
        raise late


async def _known(call: Call, id: str) -> str | None:
    """The application of a team of which the caller may know; None: there is none, as the decision says of it."""
    row = await call.row(queries("teams")["whose"], id)
    return None if row is None or not call.reaches(row["app"]) else str(row["app"])


async def _occupied(call: Call, id: str) -> Problem | None:
    """Why a team stays: of none from one moment to the next, its people would see what they did not."""
    # Who was put into it a moment ago, by anybody, counts.
    await call.see_all("users", "rooms")
    row = await call.row(queries("teams")["inside"], id)
    users, rooms = (0, 0) if row is None else (row["users"], row["rooms"])
    if not users and not rooms:
        return None
    return Problem(
        "in_use", f"expected a team without users and rooms, got one with {users} users and {rooms} rooms",
        users=users, rooms=rooms,
    )  # fmt: skip


async def set_team(call: Call, request: SetTeamRequest) -> dict[str, Any]:
    return {"user": user_view(await put_into(call, request.user, request.team))}


async def put_into(call: Call, user: str, team: str | None) -> User:
    """Puts a user into a team, or (None) into none, and out of the rooms of the one before. Raises Refused."""
    app, missing = None, None
    try:
        app = None if team is None else (await find(call, team)).app
    except Refused as refusal:
        missing = refusal
    rows = await call.rows(queries("users")["any_by_id"], [user])
    outcome = await call.submit(SetTeam(user=user, team=team, app=app), unless=missing, shows=(user_key(user),))
    # From here on it holds, and is seen everywhere; where nothing has changed, something may have been left undone.
    await call.catch_up(call.position)
    if team is not None and app is not None and not await still(call, [team]):
        await put_back(call, user, from_row(User, rows[0]).team if rows else None)
        raise missing_team(team)
    await leave_others(call, user)
    await call.catch_up(call.position)
    return outcome.entity(User, user_key(user))


async def put_back(call: Call, user: str, team: str | None) -> None:
    """Puts a user back whose team was removed while they were put into it. Raises Refused."""
    await call.step(SetTeam(user=user, team=team, app=call.app), key=uuid7())
    await call.catch_up(call.position)
    await leave_others(call, user)


_TEAM = {"team": "Team"}

OPERATIONS = [
    Operation("teams.create", "POST", "/v1/teams", "app", CreateTeamRequest, create,
              "Make a team of your application", _TEAM, 201),
    Operation("teams.list", "GET", "/v1/teams", "app", ListTeamsRequest, list_,
              "The teams of your application", {"teams": "[Team]", "next": "cursor"}),
    Operation("teams.get", "GET", "/v1/teams/{team}", "app", GetTeamRequest, get,
              "A team", _TEAM),
    Operation("teams.change", "PATCH", "/v1/teams/{team}", "app", ChangeTeamRequest, change,
              "Rename a team, or change its custom object", _TEAM),
    Operation("teams.remove", "DELETE", "/v1/teams/{team}", "app", GetTeamRequest, remove,
              "Remove a team in which nobody is, nor any room", {}, 204),
    Operation("users.set_team", "PUT", "/v1/users/{user}/team", "app", SetTeamRequest, set_team,
              "Put a user into a team, or into none", {"user": "User"}),
]  # fmt: skip
