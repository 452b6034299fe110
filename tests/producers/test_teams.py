"""Decisions about teams, who is in one, and what a room of another one is to a command. Tests ``producers/teams.py``,
``producers/batch/homes.py`` and ``events/teams.py``."""

from __future__ import annotations

import pytest

from events.apps import App, AppCreated, app_key, loaded_app
from events.core.derived_ids import DEFAULT_APP
from events.members import MemberJoined
from events.rooms import RoomCreated, direct_room
from events.teams import Team, TeamCreated, TeamDataChanged, TeamRemoved, TeamRenamed, team_key
from events.users import User, UserRegistered, UserTeamSet, user_key
from producers.commands import ANY_APP, ANY_TEAM, Command, Outcome, Refused
from producers.members import AddMember, RemoveMember
from producers.messages import PostMessage
from producers.rooms import CreateRoom
from producers.teams import ChangeTeam, CreateTeam, RemoveTeam, RestoreTeam, SetTeam
from tests.producers.given import Given, Log, group, order

MADE = AppCreated(name="Harbour", key="kk_a", secret="v")
CREW = TeamCreated(team="g", external="crew", name="Crew", custom={"pier": 4})
ADA = UserRegistered(username="ada", name="Ada", role="person", credential=None, data={})
ROOM = RoomCreated(type="group", visibility="public", name="R", data={}, team="g")
OWNER = MemberJoined(user="ada", role="owner")


def teams(given: Given, app: str = "s") -> int:
    found = loaded_app(given.log.state, app)
    assert isinstance(found, App)
    return found.teams


def test_a_team_is_made_changed_and_removed() -> None:
    given = Given(MADE).when(CreateTeam(app="s", team="g", external="crew", name="Crew", custom={"pier": 4, "x": None}))
    given.then(CREW)
    assert teams(given) == 1
    given.when(CreateTeam(app="s", team="g", external="crew", name="Other"), id="2").refused("taken")
    given.when(ChangeTeam(app="s", team="g", name="Crew", custom={"pier": 4}), id="3").then()
    given.when(ChangeTeam(app="s", team="g", name="Hands", custom={"pier": None, "deck": 1}), id="4")
    given.then(TeamRenamed(team="g", name="Hands"), TeamDataChanged(team="g", custom={"deck": 1}))
    team = given.log.state[team_key("g")]
    assert isinstance(team, Team) and (team.name, team.custom, team.external) == ("Hands", {"deck": 1}, "crew")
    given.when(RemoveTeam(app="s", team="g"), id="5").then(TeamRemoved(team="g"))
    assert teams(given) == 0
    for command in (RemoveTeam(app="s", team="g"), ChangeTeam(app="s", team="g", name="x")):
        given.when(command, id="6").refused("not_found")
    # What was removed is what it was, and what is there stays.
    given.when(RestoreTeam(app="s", team="g"), id="8")
    given.then(TeamCreated(team="g", external="crew", name="Hands", custom={"deck": 1}))
    given.when(RestoreTeam(app="s", team="g"), id="9").then()
    given.when(RestoreTeam(app="s", team="h"), id="10").refused("not_found")
    given.when(RemoveTeam(app="s", team="g"), id="11").then(TeamRemoved(team="g"))
    # The same id is made again.
    given.when(CreateTeam(app="s", team="g", external="crew", name="Crew"), id="7")
    given.then(TeamCreated(team="g", external="crew", name="Crew", custom={}))
    assert teams(given) == 1


def test_teams_of_the_default_application_and_of_none() -> None:
    given = Given(stream=DEFAULT_APP).when(CreateTeam(app=DEFAULT_APP, team="g", external="a", name="A"))
    assert isinstance(given.answer, Outcome) and teams(given, DEFAULT_APP) == 1
    app = given.log.state[app_key(DEFAULT_APP)]
    assert isinstance(app, App) and app.created is None and app.settings["registration"]
    Given().when(CreateTeam(app="s", team="g", external="a", name="A")).refused("not_found")


@pytest.mark.parametrize("name", ["a\u2028b", " a", "\u200b"])
def test_a_name_is_one_that_people_can_read(name: str) -> None:
    Given(MADE).when(CreateTeam(app="s", team="g", external="a", name=name)).refused("invalid")
    Given(MADE, CREW).when(ChangeTeam(app="s", team="g", name=name)).refused("invalid")


def test_a_user_is_put_into_a_team_of_their_application() -> None:
    given = Given(ADA).when(SetTeam(user="s", team="g", app="default")).then(UserTeamSet(team="g"))
    user = given.log.state[user_key("s")]
    assert isinstance(user, User) and user.team == "g"
    given.when(SetTeam(user="s", team="g", app="default"), id="2").then()
    given.when(SetTeam(user="s", team=None), id="3").then(UserTeamSet(team=None))
    Given(ADA).when(SetTeam(user="s", team="g", app="other")).refused("not_found")
    Given().when(SetTeam(user="s", team=None)).refused("not_found")


IN_ROOM: list[Command] = [
    PostMessage(room="s", token="t", content={"text": "x"}),
    AddMember(room="s", user="ada"), AddMember(room="s", user="eve"), RemoveMember(room="s", user="ada"),
]  # fmt: skip


@pytest.mark.parametrize("command", IN_ROOM, ids=lambda command: type(command).__name__)
@pytest.mark.parametrize("team", [None, "h"])
def test_a_room_of_another_team_is_as_one_that_is_not_there(command: Command, team: str | None) -> None:
    """Also to who is a member of it still, as somebody who was moved a moment ago is."""
    found = Given(ROOM, OWNER).when(command, team=team).answer
    nothing = Given().when(command, team=team).answer
    assert isinstance(found, Refused) and isinstance(nothing, Refused)
    assert (found.code, found.detail, found.errors) == (nothing.code, nothing.detail, nothing.errors)


@pytest.mark.parametrize("how", [{"team": "g"}, {"app": ANY_APP}, {"via": "app"}, {"team": ANY_TEAM}], ids=str)
def test_its_own_team_operators_the_server_and_the_system_reach_it(how: dict[str, str]) -> None:
    command = PostMessage(room="s", token="t", content={"text": "x"})
    answer = Given(ROOM, OWNER).when(command, **how).answer
    assert isinstance(answer, Outcome) and len(answer.records) == 1


def test_a_room_is_of_the_team_that_makes_it() -> None:
    log = Log()
    (made,) = log.turn(order(CreateRoom(room="r", type="public", name="R", data={}, members=["ada"], team="g")))
    assert isinstance(made, Outcome) and made.records[0].data.team == "g"  # type: ignore[attr-defined]
    # Its id is one's in the whole application: who may not see it learns no more than that.
    (again,) = log.turn(order(group("bob"), actor="bob", id="2"))
    (same,) = log.turn(order(group("bob"), actor="bob", id="3", team="g"))
    assert isinstance(again, Refused) and isinstance(same, Refused)
    assert (again.code, again.detail, again.errors) == (same.code, same.detail, same.errors) and again.code == "taken"


def test_two_people_have_a_direct_room_in_each_team() -> None:
    ids = {direct_room("default", *pair, team) for pair in (("a", "b"), ("b", "a")) for team in (None, "g", "h")}
    assert len(ids) == 3
