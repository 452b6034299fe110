"""Tests that go through all operations, commands, events or fields of a room by a table of their own: a row for each.

Such a test fails for what it does not know, minutes later and with two sets that differ, or says nothing of it. These
files, code among them that keeps such a table, are looked at as text: a name that stands there is taken for a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from api.core.operation import Operation
from events.rooms import UNSAID
from infra.ops.missing.entities import shown_while_there
from infra.ops.missing.tables import Gap, Tables

REPEATS = "tests/api/repeats.py"


class WalkedTable(NamedTuple):
    """A test's table of operations."""

    file: str
    #: What to write there.
    write: str
    #: Whether an operation has a row in it.
    of: Callable[[Operation], bool]


def _of_people(operation: Operation) -> bool:
    return operation.permission not in ("service", "server", "app", "operator")


def _over_http(operation: Operation) -> bool:
    return not operation.only_rpc


def _writes(operation: Operation) -> bool:
    return operation.method != "GET"


#: By what each is tried for.
OPERATIONS = (
    WalkedTable("tests/api/test_permissions.py", "its status for each kind of caller to TABLE", _over_http),
    WalkedTable("tests/api/test_contract_examples.py", "its place in the story to ORDER", lambda one: True),
    WalkedTable("tests/api/test_blocks_walk.py", "what it names to NAMED, or it to OTHERS", _of_people),
    WalkedTable(REPEATS, "a request that changes something to COMMANDS", _writes),
    WalkedTable("tests/api/core/test_repeating.py", "a request to COMMANDS, or it to ELSEWHERE", _writes),
    WalkedTable(
        "tests/api/test_own_writes.py", "its fields to IN_A_ROOM, or it to NOT_IN_A_ROOM",
        lambda one: "room" in one.request.__struct_fields__,
    ),
)  # fmt: skip
FIRST_RESULTS = "tests/api/core/test_first_results.py"


def operations(tables: Tables) -> Iterator[Gap]:
    """Operations that a test's table does not name."""
    for operation in tables.operations:
        quoted = f'"{operation.name}"'
        for walk in OPERATIONS:
            if walk.of(operation) and quoted not in tables.walked[walk.file]:
                yield Gap(walk.file, f"operation {operation.name}", f"add {walk.write}")
        if f"{quoted}:" in tables.walked[REPEATS] and quoted not in tables.walked[FIRST_RESULTS]:
            write = "add what takes it back to BACK, or it to ALWAYS or FOR_GOOD"
            yield Gap(FIRST_RESULTS, f"operation {operation.name}", write)


COMMANDS = "tests/producers/test_commands.py"
ROLES = "tests/producers/test_roles.py"


def commands(tables: Tables) -> Iterator[Gap]:
    """Commands that are not acted, and those of rooms whose roles no test has written out."""
    for name, row in tables.commands.items():
        if f'"{name}":' not in tables.walked[COMMANDS]:
            yield Gap(COMMANDS, f"command {name}", "add what stands before it, or its example, to BEFORE")
        for field in row.struct.__struct_fields__:
            # What is set of a room has the value of its event's sample.
            if field not in UNSAID and f'"{field}":' not in tables.walked[COMMANDS]:
                yield Gap(COMMANDS, f"field {field} of {name}", "add a value to FIELDS")
        if row.topic == "rooms" and f'"{name}"' not in tables.walked[ROLES]:
            yield Gap(ROLES, f"command {name}", "add its roles to COPY and a case to cases, or it to WITHOUT_ROLE")


AUDIENCE = "tests/projectors/test_audience.py"
SHOWN = "tests/api/test_shown_changes.py"
HOLDING, PLAIN = "push/protocol/items.py", "tests/push/delivery/test_withheld.py"


def events(tables: Tables) -> Iterator[Gap]:
    """Events whose recipients no test has written out, and those of rooms of which nobody has said what they hold."""
    for name, row in tables.registry.events.items():
        quoted = f'"{name}"'
        if f"{quoted}:" not in tables.walked[AUDIENCE] and not row.sets:
            yield Gap(AUDIENCE, f"event {name}", "add who receives it to HEARERS")
        # What sets fields of its room is for all who see the room, and holds what it sets: all three tables know that.
        if "rooms" not in row.topics or row.sets:
            continue
        if quoted not in tables.walked[SHOWN]:
            yield Gap(SHOWN, f"event {name}", "add it to TO_ALL, TO_SOME or TO_NOBODY")
        if not any(quoted in tables.walked[path] for path in (HOLDING, PLAIN)):
            write = f"add it to HOLDING, with what is left of it in push/delivery/withheld.py, or to PLAIN in {PLAIN}"
            yield Gap(HOLDING, f"event {name}", write)


VIEWS = "tests/projectors/test_views.py"


def fields_of_rooms(tables: Tables) -> Iterator[Gap]:
    """Fields of a room of which no test has written out what a deleted one shows."""
    for name in shown_while_there(tables):
        if f'"{name}"' not in tables.walked[VIEWS]:
            yield Gap(VIEWS, f"field {name} of a room", "add what is shown of a deleted room")


WALKS = (operations, commands, events, fields_of_rooms)
