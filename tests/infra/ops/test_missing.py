"""``klatsch schemas --missing``: whatever is declared and stands in no table is named, with the file of its row."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from typer.testing import CliRunner

import events.messages
import producers.messages
from api.core.operation import Operation, Request
from api.messages import OPERATIONS
from events.core.records import Changes, Entity, Event, EventType, Key, Record, Registry, State
from events.core.revert_rules import NotRevertible, RevertRule
from events.messages import message_key
from events.rooms import Room
from infra.ops import missing
from infra.ops.cli import app
from infra.ops.missing import commands, entities, operations, tables, walked
from infra.ops.missing import events as events_
from infra.ops.missing.tables import Gap, Tables
from producers.commands import Command, CommandEnvelope, CommandType
from producers.roles import allow
from projectors.audience import MEMBERS, NOBODY

FOUND = tables.present()
Walk = Callable[[Tables], Iterator[Gap]]


class MessageStarred(Event, frozen=True, kw_only=True):
    message: str


class Star(Entity, frozen=True, kw_only=True):
    kind: ClassVar = "star"
    key_fields: ClassVar = ("id",)

    id: str
    version: int


class StarredRoom(Room, frozen=True, kw_only=True):
    stars: int


class StarMessage(Command, frozen=True, kw_only=True):
    room: str


class StarRequest(Request, frozen=True):
    room: str
    message: str


for planted, domain in (
    (MessageStarred, "events.messages"),
    (Star, "events.messages"),
    (StarMessage, "producers.messages"),
):
    planted.__module__ = domain


def names(record: Record) -> tuple[Key, ...]:
    return (message_key(record.data.message),)  # type: ignore[attr-defined]  # an event of the test's


def fold(record: Record, state: State) -> Changes:
    return {}


def reads_more(record: Record, state: State) -> Changes:
    return {("room", record.stream): state["room", record.stream]}


def star(order: CommandEnvelope[Any], state: State) -> list[Event]:
    allow(order, state)
    return []


async def run(call: Any, request: Any) -> None:
    return None


STARRED = EventType(
    name="message.starred", struct=MessageStarred, topics=("rooms",), keys=names, fold=fold, about="A star.",
    sample=MessageStarred(message="m"), revert=NotRevertible("A test."),
)  # fmt: skip
#: An event that sets a field of its room, under a name that no table has.
CALLED = FOUND.registry.events["room.renamed"]._replace(name="room.called")
STAR_COMMAND = CommandType(StarMessage, "rooms", lambda c: c.room, lambda order: (), star)
STARS = Operation("stars.star", "PUT", "/v1/rooms/{room}/stars", "user", StarRequest, run, "Star it", {"star": "Star"})


def with_event(row: EventType = STARRED, **more: Any) -> Tables:
    registry = Registry((*FOUND.registry.events.values(), row), tuple(FOUND.registry.entities.values()))
    return FOUND._replace(registry=registry, **more)


def with_entity(**more: Any) -> Tables:
    registry = Registry(tuple(FOUND.registry.events.values()), (*FOUND.registry.entities.values(), Star))
    return FOUND._replace(registry=registry, **more)


def with_operation(**changes: Any) -> Tables:
    return FOUND._replace(operations=[*FOUND.operations, STARS._replace(**changes)])


def found(walk: Walk, planted: Tables) -> list[tuple[str, str]]:
    """File and subject of each gap; there is none without what was planted."""
    assert list(walk(FOUND)) == []
    gaps = list(walk(planted))
    assert all(gap.write for gap in gaps)
    return [(gap.file, gap.subject) for gap in gaps]


def test_nothing_is_missing() -> None:
    assert missing.lines() == []


AUDIENCES = {**FOUND.audiences, "message.starred": MEMBERS, "room.called": MEMBERS}
KINDS = {**FOUND.kinds, "star": "stars"}
GENERATE = "infra/ops/generate"

CASES: dict[str, tuple[Walk, Tables, list[tuple[str, str]]]] = {
    "audience": (
        events_.audiences, with_event(), [("projectors/audience/messages.py", "audience of message.starred")]
    ),
    "clients": (
        events_.clients, with_event(audiences=AUDIENCES), [(path, "fold of message.starred") for path in tables.FOLDS]
    ),
    "clients, before there is an audience": (
        events_.clients, with_event(), [(path, "fold of message.starred") for path in tables.FOLDS]
    ),
    "clients, of what nobody receives": (
        events_.clients, with_event(audiences={**FOUND.audiences, "message.starred": NOBODY}), []
    ),
    "clients, of what sets fields of its room": (events_.clients, with_event(CALLED, audiences=AUDIENCES), []),
    "names": (
        events_.folds,
        with_event(STARRED._replace(fold=reads_more)),
        [("events/messages.py", "fold of message.starred")],
    ),
    "sample": (
        events_.folds,
        with_event(STARRED._replace(sample=FOUND.registry.events["room.renamed"].sample)),
        [("events/messages.py", "sample of message.starred")],
    ),
    "field to set back": (
        events_.undo,
        with_event(STARRED._replace(revert=RevertRule("message", ("starred",), "message"))),
        [("producers/messages.py", "undo of message.starred")],
    ),
    "kind to set back": (
        events_.undo,
        with_event(STARRED._replace(revert=RevertRule("star", ("state",)))),
        [("producers/messages.py", "undo of message.starred")],
    ),
    "id to set back": (
        events_.undo,
        with_event(STARRED._replace(revert=RevertRule("message", ("deleted",), "id"))),
        [("events/messages.py", "undo of message.starred")],
    ),
    "name of a table": (entities.columns, with_entity(), [("infra/base/rows.py", "table of star")]),
    "table": (
        entities.columns, with_entity(kinds=KINDS), [("schemas/sql/schema_live.sql", "table of star")]
    ),
    "column": (
        entities.columns,
        with_entity(kinds=KINDS, columns={**FOUND.columns, "stars": ["id"]}, compared=[*FOUND.compared, "stars"]),
        [("schemas/sql/schema_live.sql", "field version of Star")],
    ),
    "table that is not compared": (
        entities.columns,
        FOUND._replace(compared=[table for table in FOUND.compared if table != "pins"]),
        [("projectors/verify/comparing.py", "table of pin")],
    ),
    "tests of operations": (
        walked.operations,
        with_operation(),
        [
            (path, "operation stars.star")
            for path in (
                "tests/api/test_permissions.py", "tests/api/test_contract_examples.py", "tests/api/test_blocks_walk.py",
                "tests/api/repeats.py", "tests/api/core/test_repeating.py", "tests/api/test_own_writes.py",
            )
        ],
    ),
    "test of first results": (
        walked.operations,
        FOUND._replace(walked={**FOUND.walked, walked.FIRST_RESULTS: ""}, operations=[
            one for one in FOUND.operations if one.name == "messages.edit"
        ]),
        [(walked.FIRST_RESULTS, "operation messages.edit")],
    ),
    "tests of commands": (
        walked.commands,
        FOUND._replace(commands={**FOUND.commands, "StarMessage": STAR_COMMAND}),
        [(walked.COMMANDS, "command StarMessage"), (walked.ROLES, "command StarMessage")],
    ),
    "tests of events": (
        walked.events,
        with_event(),
        [(path, "event message.starred") for path in (walked.AUDIENCE, walked.SHOWN, walked.HOLDING)],
    ),
    "tests of events that set fields of their room": (walked.events, with_event(CALLED), []),
    "field of a command": (
        walked.commands,
        FOUND._replace(walked={
            **FOUND.walked, walked.COMMANDS: FOUND.walked[walked.COMMANDS].replace('"unwilling":', '"asked":'),
        }),
        [(walked.COMMANDS, "field unwilling of CreateRoom")],
    ),
    "field of a room": (
        walked.fields_of_rooms,
        FOUND._replace(walked={
            path: text.replace('"topic_line"', '"line"') for path, text in FOUND.walked.items()
        }),
        [(walked.VIEWS, "field topic_line of a room")],
    ),
    "field that a deleted room shows or not": (
        entities.fields_of_rooms,
        FOUND._replace(registry=Registry(tuple(FOUND.registry.events.values()), (StarredRoom,))),
        [("projectors/views/rooms.py", "field stars of Room")],
    ),
    "view": (entities.views, with_entity(), [("projectors/views/messages.py", "view of Star (events/messages.py)")]),
    "permission": (
        commands.permissions,
        FOUND._replace(commands={**FOUND.commands, "StarMessage": STAR_COMMAND}),
        [("producers/roles.py", "permission for StarMessage")],
    ),
    "words": (
        operations.words,
        with_operation(),
        [
            (f"{GENERATE}/descriptions.py", "description of stars.star"),
            (f"{GENERATE}/examples", "example of stars.star"),
            (f"{GENERATE}/openapi.py", "tag stars"),
            ("tests/infra/ops/test_missing.py", "StarRequest.message of stars.star"),
        ],
    ),
    "example beside others": (
        operations.words,
        with_operation(name="messages.star", method="DELETE"),
        [
            (f"{GENERATE}/descriptions.py", "description of messages.star"),
            (f"{GENERATE}/examples/messages.py", "example of messages.star"),
        ],
    ),
    "past": (
        operations.past, with_operation(method="GET"), [("tests/infra/ops/test_missing.py", "as-of of stars.star")]
    ),
    "scope": (
        operations.scopes,
        with_operation(permission="service"),
        [("tests/infra/ops/test_missing.py", "scope of stars.star")],
    ),
    "answer": (
        operations.references,
        with_operation(),
        [(f"{GENERATE}/answers.py", "answer of stars.star (tests/infra/ops/test_missing.py)")],
    ),
    "component": (
        operations.references,
        FOUND._replace(components={**FOUND.components, "Stars": {"items": [{"$ref": "#/components/schemas/Star"}]}}),
        [(f"{GENERATE}/answers.py", "component Stars")],
    ),
    "problem": (
        operations.problems,
        FOUND._replace(problems=[*FOUND.problems, "too_many_stars"]),
        [(f"{GENERATE}/examples/problems.py", "problem too_many_stars")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_row_that_is_missing_is_named_with_its_file(name: str) -> None:
    walk, planted, expected = CASES[name]
    assert found(walk, planted) == expected


def test_what_a_domain_declares_and_does_not_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events.messages, "MessageStarred", MessageStarred, raising=False)
    monkeypatch.setattr(events.messages, "Star", Star, raising=False)
    monkeypatch.setattr(producers.messages, "StarMessage", StarMessage, raising=False)
    assert [str(gap) for walk in (events_.rows, entities.registered, commands.rows) for gap in walk(FOUND)] == [
        "events/messages.py: event MessageStarred: add a row to ROWS: EventType(name=...)",
        "events/registry.py: entity Star: add messages.Star to entities",
        "producers/messages.py: command StarMessage: add a row to COMMANDS: CommandType(...)",
    ]


def test_what_a_domain_lists_and_no_registry_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events.messages, "ROWS", (*events.messages.ROWS, STARRED))
    monkeypatch.setattr(producers.messages, "COMMANDS", (*producers.messages.COMMANDS, STAR_COMMAND))
    monkeypatch.setattr("api.messages.OPERATIONS", [*OPERATIONS, STARS])
    assert [str(gap) for walk in (events_.rows, commands.rows, operations.rows) for gap in walk(FOUND)] == [
        "events/registry.py: event message.starred: add *messages.ROWS to REGISTRY",
        "producers/registry.py: command StarMessage: add *messages.COMMANDS to COMMAND_TYPES",
        "api/registry.py: operation stars.star: add *messages.OPERATIONS to all_operations",
    ]


def test_a_row_that_cannot_be_made_is_named_by_its_line() -> None:
    row: Any = EventType
    with pytest.raises(TypeError) as caught:
        row(name="message.starred")
    line = missing._place(caught.value)
    assert line.startswith("tests/infra/ops/test_missing.py:") and "'struct'" in line and "'revert'" in line


def test_an_error_of_others_is_not_hidden() -> None:
    with pytest.raises(TypeError) as caught:
        json.dumps(object())
    with pytest.raises(TypeError, match="not JSON serializable"):
        missing._place(caught.value)


def test_the_command_ends_with_1_and_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    wrote: list[bool] = []

    def generate(check: bool) -> int:
        wrote.append(check)
        return 0

    monkeypatch.setattr("infra.ops.generate.main", generate)
    monkeypatch.setattr(missing, "lines", lambda: ["events/x.py: event x: add a row"])
    for arguments in (["schemas", "--missing"], ["schemas"]):
        result = CliRunner().invoke(app, arguments)
        assert (result.exit_code, result.stdout) == (1, "events/x.py: event x: add a row\n")
    monkeypatch.setattr(missing, "lines", list)
    assert CliRunner().invoke(app, ["schemas", "--missing"]).exit_code == 0 and wrote == []
    assert CliRunner().invoke(app, ["schemas"]).exit_code == 0 and wrote == [False]


def test_what_a_domain_says_and_the_tables_of_audiences_and_views_do_not_take(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = {name: row for name, row in FOUND.audiences.items() if not name.startswith("message.p")}
    assert [str(gap) for gap in events_.audiences(FOUND._replace(audiences=taken))] == [
        f"projectors/audience/__init__.py: audience of {name}: add **{word}.AUDIENCES to AUDIENCES"
        for name, word in (("message.posted", "messages"), ("message.pinned", "pins"))
    ]
    viewed = {entity for entity in FOUND.viewed if entity.kind != "pin"}
    assert [str(gap) for gap in entities.views(FOUND._replace(viewed=viewed))] == [
        "projectors/views/__init__.py: view of Pin: add **pins.VIEWS to VIEWS"
    ]
