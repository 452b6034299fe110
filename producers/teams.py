"""Decisions about teams, and about who is in one: the application's own server decides it, or an operator."""

from __future__ import annotations

from collections.abc import Sequence

from events.apps import app_key
from events.core.free_json import same
from events.core.records import Event, Key, State
from events.teams import (
    Team,
    TeamCreated,
    TeamDataChanged,
    TeamRemoved,
    TeamRenamed,
    loaded_team,
    team_key,
)
from events.users import UserTeamSet, user_key
from producers.apps import AppCommand, lasting
from producers.commands import CommandEnvelope, CommandType, Refused
from producers.limits import Custom, CustomPatch, ExternalId, Id, ShownName, merged
from producers.names import check_name
from producers.streams import UserCommand
from producers.users import present


class CreateTeam(AppCommand, frozen=True, kw_only=True):
    """Make a team of an application."""

    #: Derived from the application and ``external``.
    team: Id
    external: ExternalId
    name: ShownName
    custom: Custom = {}


class ChangeTeam(AppCommand, frozen=True, kw_only=True):
    team: Id
    name: ShownName | None = None
    custom: CustomPatch | None = None


class RemoveTeam(AppCommand, frozen=True, kw_only=True):
    """Make a team no more. That nobody is in it, nor any room, is found out before, on the read model."""

    team: Id


class RestoreTeam(AppCommand, frozen=True, kw_only=True):
    """Make a team that was removed what it was: somebody had been put into it by then."""

    team: Id


class SetTeam(UserCommand, frozen=True, kw_only=True):
    """Put a user into a team, or (None) into none. That the team exists is found out before, on the read model."""

    team: Id | None
    #: Application of the team, which is to be the user's.
    app: Id | None = None


def missing_team(id: str) -> Refused:
    """What is said of a team that is not there, or of another application."""
    return Refused("not_found", f"expected a team of the application, found none with id {id}")


def _keys(envelope: CommandEnvelope[CreateTeam | ChangeTeam | RemoveTeam | RestoreTeam]) -> Sequence[Key]:
    return (app_key(envelope.command.app), team_key(envelope.command.team))


def _own(envelope: CommandEnvelope[SetTeam]) -> Sequence[Key]:
    return (user_key(envelope.command.user),)


def _present(envelope: CommandEnvelope[ChangeTeam | RemoveTeam], state: State) -> Team:
    team = loaded_team(state, envelope.command.team)
    if team is None or team.app != envelope.command.app:
        raise missing_team(envelope.command.team)
    return team


def create(envelope: CommandEnvelope[CreateTeam], state: State) -> list[Event]:
    command = envelope.command
    lasting(state, command.app)
    if loaded_team(state, command.team) is not None:
        raise Refused("taken", f"expected the id of no team of yours, got {command.external}, which is one's")
    check_name("name", command.name)
    custom = merged({}, command.custom)
    return [TeamCreated(team=command.team, external=command.external, name=command.name, custom=custom)]


def change(envelope: CommandEnvelope[ChangeTeam], state: State) -> list[Event]:
    command, team = envelope.command, _present(envelope, state)
    events: list[Event] = []
    if command.name is not None and command.name != team.name:
        check_name("name", command.name)
        events.append(TeamRenamed(team=team.id, name=command.name))
    if command.custom is not None and not same(custom := merged(team.custom, command.custom), team.custom):
        events.append(TeamDataChanged(team=team.id, custom=custom))
    return events


def remove(envelope: CommandEnvelope[RemoveTeam], state: State) -> list[Event]:
    return [TeamRemoved(team=_present(envelope, state).id)]


def restore(envelope: CommandEnvelope[RestoreTeam], state: State) -> list[Event]:
    command = envelope.command
    lasting(state, command.app)
    team = state[team_key(command.team)]
    if not isinstance(team, Team) or team.app != command.app:
        raise missing_team(command.team)
    if team.state == "active":
        return []
    return [TeamCreated(team=team.id, external=team.external, name=team.name, custom=team.custom)]


def set_team(envelope: CommandEnvelope[SetTeam], state: State) -> list[Event]:
    command = envelope.command
    user = present(state, command.user)
    if command.team is not None and command.app != user.app:
        raise missing_team(command.team)
    return [] if user.team == command.team else [UserTeamSet(team=command.team)]


COMMANDS = (
    CommandType(CreateTeam, "apps", lambda c: c.app, _keys, create),
    CommandType(ChangeTeam, "apps", lambda c: c.app, _keys, change),
    CommandType(RemoveTeam, "apps", lambda c: c.app, _keys, remove),
    CommandType(RestoreTeam, "apps", lambda c: c.app, _keys, restore),
    CommandType(SetTeam, "users", lambda c: c.user, _own, set_team),
)
