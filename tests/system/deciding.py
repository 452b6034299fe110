"""Every command of the registry, acted: what must stand before it, its example, and a random rest after it.

A command without an example fails tests/producers/test_commands.py by its name. Each is acted in a world of people,
rooms and names of its own, so that none undoes what another one needs.
"""

from __future__ import annotations

from random import Random
from typing import Any, NamedTuple

import msgspec

from events.core.records import Record
from producers import registry
from producers.apps import AppSettingsPatch, ChangeApp
from producers.commands import Command, CommandEnvelope, Outcome, Refused
from producers.revertible import RevertInRoom
from producers.rooms import ChangeRoom, RestoreRoom, SettingsPatch
from tests.producers.given import Log, order
from tests.producers.test_commands import APP, BEFORE, EXAMPLES, MADE, SAID

#: What stands before a command, as in tests/producers/test_commands.py, and the command.
Scene = tuple[tuple[tuple[str, str, Command], ...], Command]

#: Ids in the examples, which become those of a world; and what begins the names of handles.
IDS = frozenset("cdfghimoprtuvwxyz")
HANDLES = ("username:", "email:")
#: What is acted besides, by the event types that no example makes.
FURTHER: dict[str, Scene] = {
    "room.data_changed": (MADE, ChangeRoom(room="r", data={"a": "b"})),
    "room.custom_changed": (MADE, ChangeRoom(room="r", custom={"a": {"b": [1]}})),
    "room.settings_changed": (MADE, ChangeRoom(room="r", settings=SettingsPatch(posting="admins"))),
    "app.settings_changed": (APP, ChangeApp(app="p", settings=AppSettingsPatch(registration=True))),
    "message.restored": (
        (*SAID, ("u", "e", EXAMPLES["DeleteMessage"])),
        RevertInRoom(room="r", kind="message", id="m", was={"deleted": False}, became={"deleted": True}),
    ),
}
SCENES = {name: (before, command or EXAMPLES[name]) for name, (before, command) in BEFORE.items()} | FURTHER
#: Scenes that follow in each world.
AFTERWARDS = 5


class Act(NamedTuple):
    """What one command came to: the events of a batch."""

    command: str
    topic: str
    stream: str
    records: list[Record]


class World(NamedTuple):
    """What happened among some people, in order."""

    #: The scene that it begins with.
    name: str
    acts: list[Act]
    #: How many of them had happened when the scene's command had.
    after: int

    @property
    def streams(self) -> set[str]:
        return {act.stream for act in self.acts}


def worlds(seed: int) -> list[World]:
    """One for each command, and for each further event type."""
    random = Random(seed)
    return [_world(name, f"{number}-{seed}", random) for number, name in enumerate(SCENES)]


def _world(name: str, suffix: str, random: Random) -> World:
    log, acts, ids, second = Log(), list[Act](), set[str](), 0

    def act(actor: str, id: str, command: Command, *, needed: bool) -> None:
        nonlocal second
        second += 1
        # What is made has an id of its own each time.
        id = id if id not in ids else f"{id}-{second}"
        ids.add(id)
        one = _order(command, suffix, actor=actor, id=id, second=second)
        (answer,) = log.turn(one)
        assert isinstance(answer, Outcome) if needed else isinstance(answer, Outcome | Refused), repr(answer)
        if isinstance(answer, Outcome) and answer.records:
            row = registry.of(one.command)
            acts.append(Act(row.name, row.topic, row.stream(one.command), list(answer.records)))

    before, command = SCENES[name]
    for deed in before:
        act(*deed, needed=True)
    act("u", "y", command, needed=True)
    assert acts[-1].command == type(command).__name__, f"{name}: expected its command to make events, got none"
    after = len(acts)
    for before, command in random.choices(list(SCENES.values()), k=AFTERWARDS):
        for deed in before:
            act(*deed, needed=False)
        act("u", "y", command, needed=False)
        act("u", "e", EXAMPLES[type(command).__name__], needed=False)
        # So that most of what follows meets a room in use.
        act("u", "e", RestoreRoom(room="r"), needed=False)
    return World(name, acts, after)


def _order(command: Command, suffix: str, *, actor: str, id: str, second: int) -> CommandEnvelope:
    """The command in a world; where nothing has to happen, its key is in the log."""
    own = msgspec.convert(_renamed(msgspec.to_builtins(command), suffix), type(command))
    return order(own, actor=f"{actor}-{suffix}", id=f"{id}-{suffix}", key=f"{id}-{suffix}", second=second, keep=True)


def _renamed(value: Any, suffix: str) -> Any:
    if isinstance(value, dict):
        return {name: _renamed(one, suffix) for name, one in value.items()}
    if isinstance(value, list):
        return [_renamed(one, suffix) for one in value]
    if isinstance(value, str) and (value in IDS or value.startswith(HANDLES)):
        return f"{value}-{suffix}"
    return value
