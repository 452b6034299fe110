"""Bringing in conversations from elsewhere: ordinary commands, with the times and authors of old. Operators only."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec

from api.calls import Call
from api.problems import Problem
from api.surface import Operation, Request
from events.clock import Time, to_datetime, uuid7
from producers import registry
from producers.commands import Command, Refused
from producers.limits import Id, Token

#: Orders of one request; they are decided together, in order within a stream.
ORDERS = 1000
#: Bytes of one request: ORDERS of the usual size, several times over.
BODY_BYTES = 4 << 20

#: Commands that may be imported: those that make history, not those that prove who somebody is.
COMMANDS = frozenset(
    {
        "RegisterUser", "ChangeProfile", "ClaimHandle", "ConfirmHandle", "CreateRoom", "ChangeRoom", "AddMember",
        "RemoveMember", "PostMessage", "MarkRead",
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
    time: Time
    #: Names the line it comes from: importing it again changes nothing.
    key: Token
    #: Id of what it makes, where it must be known beforehand.
    id: Id | None = None


class Import(Request, frozen=True, kw_only=True):
    orders: Annotated[list[Item], msgspec.Meta(max_length=ORDERS)]


async def import_(call: Call, request: Import) -> dict[str, Any]:
    # All are read before the first is decided: a mistake in one changes nothing.
    commands = [_command(item, n) for n, item in enumerate(request.orders)]
    results: list[dict[str, Any]] = [{}] * len(commands)
    await asyncio.gather(
        *(_in_turn(call, request.orders, commands, group, results) for group in _groups(call, commands))
    )
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
    if item.command not in COMMANDS:
        raise Problem("invalid", f"orders[{n}].command: expected one of {', '.join(sorted(COMMANDS))}")
    try:
        command = msgspec.convert(item.fields, registry.COMMANDS[item.command].struct)
        for moment in (item.time, getattr(command, "expires", None)):
            if moment is not None:
                to_datetime(moment)
    except ValueError as error:
        raise Problem("invalid", f"orders[{n}]: {error}") from error
    return command


async def _one(call: Call, item: Item, command: Command) -> dict[str, Any]:
    try:
        id = item.id or uuid7()
        outcome = await call.submit(command, key=item.key, actor=item.actor, id=id, time=item.time)
    except Refused as refusal:
        return {"result": "refused", "code": refusal.code, "detail": refusal.detail}
    if outcome.repeated or not outcome.records:
        return {"result": "unchanged"}
    return {"result": "done", "position": str(outcome.position)}


OPERATIONS = [
    Operation("import.orders", "POST", "/v1/import", "operator", Import, import_,
              "Import commands with their original authors and times", {"results": "[ImportResult]"},
              body_bytes=BODY_BYTES),
]  # fmt: skip
