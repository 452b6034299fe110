"""What ``klatsch undo`` and ``klatsch restore`` say and ask, and the giving of the orders to the installation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import msgspec
from rich.console import Console

from events.registry import REGISTRY
from infra.base.postgres import Connection, connected
from infra.base.settings import Settings
from infra.ops.commands import moments, revert_plan
from infra.ops.commands.bars import Bar
from infra.ops.commands.errors import CannotDo
from infra.ops.commands.event_format import clean, short
from infra.ops.commands.filters import parse_time
from infra.ops.commands.names import Names
from infra.ops.commands.people import room_id, user_id
from infra.ops.commands.revert_plan import OPERATOR, RevertStep
from infra.ops.irc import url_of
from infra.ops.irc.client import Client, ImportFailed

#: Rows of the table that are shown without ``--all``.
SHOWN_STEPS = 40
#: Orders of one request.
_ORDERS = 500

#: Whether to go on, asked at the terminal.
Ask = Callable[[str], bool]


async def of_people(
    settings: Settings, people: Sequence[str], since: str, until: str, room: str | None, *, ask: Ask, all: bool = False,
    json: bool = False, url: str = "", console: Console | None = None,
) -> bool:  # fmt: skip
    """Takes back what people did in a time. Whether everything was, that can be. Raises CannotDo."""
    start, end = parse_time(since, "--from"), parse_time(until, "--to")
    if start >= end:
        raise CannotDo(f"expected --from before --to, got {start} and {end}")
    await moments.level(settings)
    async with connected(settings) as connection:
        ids = [await _person(connection, one) for one in people]
        if room is not None:
            room = await room_id(connection, room, "--room") or room
            await moments.place(connection, room, "room")
        steps = await revert_plan.plan(connection, await revert_plan.done_by(connection, ids, start, end, room))
    return await _carry_out(settings, steps, ask, all, json, url, console or Console(soft_wrap=True))


async def of_room(
    settings: Settings, room: str, to: str, *, ask: Ask, all: bool = False, json: bool = False, url: str = "",
    console: Console | None = None,
) -> bool:  # fmt: skip
    """Takes back what happened in a room since a moment. Whether everything was, that can be. Raises CannotDo."""
    moment = moments.parse(to, "--to", await moments.level(settings))
    async with connected(settings) as connection:
        room = await room_id(connection, room, "ROOM") or room
        shard = await moments.place(connection, room, "room")
        if moment.time is None and shard not in moment.vector:
            raise CannotDo(f"--to: expected a position of the room's shard, {shard}/...; got {moment}")
        cut = await moment.cut(connection, room)
        chosen = await revert_plan.done_since(connection, room, cut)
        if chosen and isinstance(chosen[0].data, REGISTRY.events["room.created"].struct):
            raise await moments.began(connection, room, moment)
        steps = await revert_plan.plan(connection, chosen)
    return await _carry_out(settings, steps, ask, all, json, url, console or Console(soft_wrap=True))


async def _person(connection: Connection, text: str) -> str:
    found = await user_id(connection, text)
    if found is None and text != OPERATOR:
        raise CannotDo(f"--by: expected the id or username of a user, got {text!r}")
    return found or OPERATOR


async def _carry_out(
    settings: Settings, steps: list[RevertStep], ask: Ask, all: bool, json: bool, url: str, console: Console
) -> bool:
    ready = [step for step in steps if step.envelope is not None]
    if json:
        for step in steps:
            console.out(_json(step), highlight=False)
    else:
        async with Names(settings) as names:
            await names.learn({step.record.actor for step in steps} | {step.record.stream for step in steps})
            _show(console, steps if all else steps[:SHOWN_STEPS], names)
        _summary(console, steps, len(ready))
    if not ready or not ask(f"Append {sum(len(step.events) for step in ready):,} events?"):
        return not ready
    done = await _give(settings, ready, url, console)
    # Who looks next finds it.
    await moments.level(settings)
    return done


def _show(console: Console, steps: Sequence[RevertStep], names: Names) -> None:
    """A line each: where it stands, when, what, who, in which room, and what takes it back."""
    for step in steps:
        record = step.record
        back = ", ".join(REGISTRY.of(event).name for event in step.events) or f"not: {step.reason}"
        who = names.of(record.actor) + ("" if record.actor == record.stream else f" in {names.of(record.stream)}")
        start = f"{record.position!s:<15} {record.time[:10]} {record.time[11:23]} {record.type:<22}"
        console.print(clean(f"{start} {short(who, 60)} -> {back}"), markup=False, highlight=False)


def _summary(console: Console, steps: list[RevertStep], ready: int) -> None:
    def say(text: str) -> None:
        console.print(clean(text), markup=False, highlight=False)

    if len(steps) > SHOWN_STEPS:
        say(f"... {len(steps):,} events in all; --all shows each")
    say(f"{ready:,} of {len(steps):,} events can be taken back.")
    for reason, count in Counter(step.reason for step in steps if step.envelope is None).most_common():
        say(f"  {count:,} not: {reason}")


async def _give(settings: Settings, ready: list[RevertStep], url: str, console: Console) -> bool:
    """Gives the orders, in order. Each is decided again: what somebody has changed meanwhile is refused."""
    if not settings.secret:
        raise CannotDo(
            "expected the installation's secret, to act as its operator: name it by --data or KLATSCH_SECRET"
        )
    results: Counter[str] = Counter()
    try:
        async with Client(settings, url or url_of(settings), OPERATOR) as client:
            with Bar(console, "taken back", len(ready), "events") as bar:
                for start in range(0, len(ready), _ORDERS):
                    part = ready[start : start + _ORDERS]
                    for step, result in zip(part, await client.order([one.item for one in part]), strict=True):
                        results[result.result] += 1
                        if result.result == "refused":
                            text = f"{step.record.position} {step.record.type}: {result.code}: {result.detail}"
                            console.print(clean(text), markup=False, highlight=False)
                    bar.advance(len(part))
    except ImportFailed as error:
        raise CannotDo(str(error)) from error
    refused = results["refused"]
    console.print(
        f"{results['done']:,} taken back, {results['unchanged']:,} were already, {refused:,} refused.",
        markup=False, highlight=False,
    )  # fmt: skip
    return not refused


def _json(step: RevertStep) -> str:
    found = {
        "position": str(step.record.position),
        "id": step.record.id,
        "type": step.record.type,
        "stream": step.record.stream,
        "actor": step.record.actor,
        "time": step.record.time,
        "events": [{"type": REGISTRY.of(event).name, "data": event} for event in step.events],
        "reason": step.reason or None,
    }
    return msgspec.json.encode(found).decode()
