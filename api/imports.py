"""Bringing in conversations from elsewhere: ordinary commands, with the times and authors of old. Operators only."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated, Any

import msgspec

from api.core.calls import Call
from api.core.operation import Operation, Request
from api.support import numbers
from api.support.problems import Problem
from api.support.times import as_kept
from events.core.clock import AnyTime, to_datetime, uuid7
from events.core.faults import quoted, wrong
from events.core.type_faults import unfit
from infra.base.months import EARLY, LATE, month_of
from producers import registry
from producers.commands import Command, Refused
from producers.limits import Id, Token

#: Orders of one request; they are decided together, in order within a stream.
ORDERS = 1000
#: Bytes of one request: ORDERS of the usual size, several times over.
BODY_BYTES = 4 << 20

#: Those that may make a message, whose id is the order's.
_MESSAGES = frozenset({"AddMember", "RemoveMember", "ChangeRole", "TransferOwnership", "PostMessage"})
_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

#: Commands that may be imported: those that make history, not those that prove who somebody is; and those that take
#: back what was made, for ``klatsch undo``.
IMPORTABLE = frozenset(
    {
        "RegisterUser", "ChangeProfile", "ClaimHandle", "ConfirmHandle", "CreateRoom", "ChangeRoom", "ArchiveRoom",
        "AddMember", "RemoveMember", "ChangeRole", "TransferOwnership", "PostMessage", "EditMessage", "DeleteMessage",
        "PinMessage", "UnpinMessage", "MarkRead", "RevertInRoom", "RevertOfUser",
    }
)  # fmt: skip


class Item(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One command as it was given elsewhere."""

    #: Name of the command: ``PostMessage``.
    command: str
    #: Its fields.
    fields: dict[str, Any]
    actor: Id
    #: When it happened.
    time: AnyTime
    #: Names the line it comes from: importing it again changes nothing.
    key: Token
    #: Id of what it makes, where it must be known beforehand.
    id: Id | None = None


class ImportRequest(Request, frozen=True, kw_only=True):
    #: Decided in order within a stream; a mistake in one changes nothing.
    orders: Annotated[list[Item], msgspec.Meta(max_length=ORDERS)]


async def import_(call: Call, request: ImportRequest) -> dict[str, Any]:
    # All are read before the first is decided: a mistake in one changes nothing.
    orders = [
        msgspec.structs.replace(item, time=as_kept(item.time, f"/orders/{n}/time"))
        for n, item in enumerate(request.orders)
    ]
    commands = [_command(item, n) for n, item in enumerate(orders)]
    results: list[dict[str, Any]] = [{}] * len(commands)
    await asyncio.gather(*(_in_turn(call, orders, commands, group, results) for group in _groups(call, commands)))
    return {"results": results}


def _groups(call: Call, commands: list[Command]) -> list[list[int]]:
    """Which orders go one after the other: those of a stream that another process decides.

    Here a stream's orders keep their order although they go at once; over HTTP they would overtake one another.
    """
    groups: list[list[int]] = []
    elsewhere: dict[str, list[int]] = {}
    for n, command in enumerate(commands):
        if call.services.producers.owns(command):
            groups.append([n])
        else:
            elsewhere.setdefault(registry.of(command).stream(command), []).append(n)
    return [*groups, *elsewhere.values()]


async def _in_turn(
    call: Call, items: list[Item], commands: list[Command], group: list[int], results: list[dict[str, Any]]
) -> None:
    for n in group:
        results[n] = await _one(call, items[n], commands[n])


def _command(item: Item, n: int) -> Command:
    if item.command not in IMPORTABLE:
        what = f"one of {', '.join(sorted(IMPORTABLE))}"
        raise Problem("invalid", errors=[wrong(f"/orders/{n}/command", what, quoted(item.command))])
    struct, fields = registry.COMMANDS_BY_NAME[item.command].struct, item.fields
    if isinstance(moment := fields.get("expires"), str):
        fields = {**fields, "expires": as_kept(moment, f"/orders/{n}/fields/expires")}
    try:
        command: Command = numbers.convert(fields, struct, strict=True)
    except msgspec.ValidationError as error:
        raise Problem("invalid", errors=unfit(fields, struct, at=("orders", n, "fields"))) from error
    if item.command in _MESSAGES and item.id is not None and not _dated(item.id):
        what = "a UUIDv7 of 1970 to 2199 in small letters"
        raise Problem("invalid", errors=[wrong(f"/orders/{n}/id", what, quoted(item.id))])
    return command


def _dated(id: str) -> bool:
    """Whether an id is one of a message: it says in which month the message is kept."""
    return _UUID7.fullmatch(id) is not None and EARLY < month_of(id) < LATE


async def _one(call: Call, item: Item, command: Command) -> dict[str, Any]:
    try:
        # In the month in which it happened.
        id = item.id or uuid7(max(0, int(to_datetime(item.time).timestamp() * 1000)))
        outcome = await call.step(command, key=item.key, actor=item.actor, id=id, time=item.time, keep=True)
    except Refused as refusal:
        return {"result": "refused", "code": refusal.code, "detail": refusal.detail}
    if outcome.repeated or not outcome.changed:
        return {"result": "unchanged"}
    return {"result": "done", "position": str(outcome.position)}


OPERATIONS = [
    Operation("import.orders", "POST", "/v1/import", "operator", ImportRequest, import_,
              "Import commands with their original authors and times", {"results": "[ImportResult]"},
              body_bytes=BODY_BYTES),
]  # fmt: skip
