"""Teams of an application: who is in one sees rooms and people of it only. Part of the application's stream (topic
``apps``)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from msgspec.structs import replace

from events.apps import App, app_key, loaded_app
from events.core.clock import Time
from events.core.records import Changes, Entity, Event, EventType, Key, Record, State
from events.core.revert_rules import NotRevertible


class Team(Entity, frozen=True, kw_only=True):
    """A part of an application whose people know nothing of its other parts (S3 teams)."""

    kind: ClassVar = "team"
    key_fields: ClassVar = ("id",)

    id: str
    #: Id of the application in which it is.
    app: str
    #: What the application calls it, in whose words the id is derived.
    external: str
    name: str
    custom: dict[str, Any]
    #: ``removed``: nobody is put into it any more.
    state: Literal["active", "removed"]
    created: Time
    updated: Time
    version: int


def team_key(team: str) -> Key:
    return ("team", team)


def loaded_team(state: State, id: str) -> Team | None:
    """The team in ``state``, if it is in use. Raises KeyError when the key was not loaded."""
    entity = state[team_key(id)]
    return entity if isinstance(entity, Team) and entity.state == "active" else None


class TeamCreated(Event, frozen=True, kw_only=True):
    team: str
    #: What the application calls it.
    external: str
    name: str
    custom: dict[str, Any]


class TeamRenamed(Event, frozen=True, kw_only=True):
    team: str
    name: str


class TeamDataChanged(Event, frozen=True, kw_only=True):
    team: str
    #: The whole new object.
    custom: dict[str, Any]


class TeamRemoved(Event, frozen=True, kw_only=True):
    """Nobody is in the team, nor any room. One may be made under the same id again."""

    team: str


TeamEvent = TeamCreated | TeamRenamed | TeamDataChanged | TeamRemoved


def keys(record: Record[TeamEvent]) -> tuple[Key, ...]:
    return (app_key(record.stream), team_key(record.data.team))


def _own_key(record: Record[TeamEvent]) -> tuple[Key, ...]:
    return (team_key(record.data.team),)


def as_created(record: Record[TeamCreated]) -> Team:
    """The team as it was made."""
    event = record.data
    return Team(
        id=event.team, app=record.stream, external=event.external, name=event.name, custom=event.custom, state="active",
        created=record.time, updated=record.time, version=record.offset,
    )  # fmt: skip


def _counted(record: Record, state: State, step: int) -> Changes:
    """The application with one team more or less; not a change of its own, so ``updated`` stays."""
    app = loaded_app(state, record.stream)
    if app is None:
        return {}
    counted: App = replace(app, teams=app.teams + step, version=record.offset)
    return {counted.key: counted}


def created(record: Record[TeamCreated], state: State) -> Changes:
    team = as_created(record)
    return {team.key: team, **_counted(record, state, 1)}


def _changed(record: Record[TeamEvent], before: State, /, **fields: Any) -> Changes:
    team = loaded_team(before, record.data.team)
    if team is None:
        return {}
    return {team.key: replace(team, **fields, updated=record.time, version=record.offset)}


def renamed(record: Record[TeamRenamed], state: State) -> Changes:
    return _changed(record, state, name=record.data.name)


def data_changed(record: Record[TeamDataChanged], state: State) -> Changes:
    return _changed(record, state, custom=record.data.custom)


def removed(record: Record[TeamRemoved], state: State) -> Changes:
    found = _changed(record, state, state="removed")
    return {**found, **_counted(record, state, -1)} if found else {}


_SAMPLE = "019aa000-0000-7000-8000-000000000031"
_CHANGE = "the application changes it again: teams.change"

ROWS = (
    EventType(
        name="team.created", struct=TeamCreated, topics=("apps",), keys=keys, fold=created, makes=("team",),
        about="A team of an application was made.",
        sample=TeamCreated(team=_SAMPLE, external="crew", name="Crew", custom={"pier": 4}),
        revert=NotRevertible("teams.remove does, while nobody is in it"),
    ),
    EventType(
        name="team.renamed", struct=TeamRenamed, topics=("apps",), keys=_own_key, fold=renamed,
        about="A team was called otherwise.", sample=TeamRenamed(team=_SAMPLE, name="Crew of the Beagle"),
        revert=NotRevertible(_CHANGE),
    ),
    EventType(
        name="team.data_changed", struct=TeamDataChanged, topics=("apps",), keys=_own_key, fold=data_changed,
        about="A team's custom object changed.", sample=TeamDataChanged(team=_SAMPLE, custom={"pier": 5}),
        revert=NotRevertible(_CHANGE),
    ),
    EventType(
        name="team.removed", struct=TeamRemoved, topics=("apps",), keys=keys, fold=removed,
        about="A team in which nobody was, nor any room, is no more.", sample=TeamRemoved(team=_SAMPLE),
        revert=NotRevertible("teams.create makes it again"),
    ),
)  # fmt: skip
