"""The import of one channel into a running installation: people first, then the room's lines in order."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from events.handles import username_handle
from infra.ops.irc.client import Client, ImportFailed, Result
from infra.ops.irc.meter import Meter
from infra.ops.irc.people import account_name, room_name, shown_name, usernames
from infra.ops.irc.plan import ImportOrder, ImportPlan, Piece

#: Orders of one request.
BATCH = 1000
#: People who are registered with one request a step; more requests than one are under way, so that the server always
#: has one to decide: with two it is busy all the time.
PEOPLE, UNDER_WAY = 500, 2
#: Ids that one look-up of users takes.
_LOOK_UP = 100

_Item = TypeVar("_Item")


class ImportTally:
    """What came of the orders."""

    def __init__(self) -> None:
        #: Orders by result: ``done``, ``unchanged``, ``refused``.
        self.results: Counter[str] = Counter()
        #: Refused ones by reason.
        self.refused: Counter[str] = Counter()
        self.registered = 0
        #: What was not there before, by command.
        self.new: Counter[str] = Counter()

    def add(self, orders: Iterable[ImportOrder], results: Iterable[Result]) -> None:
        for order, result in zip(orders, results, strict=True):
            self.results[result.result] += 1
            self.new[order.command] += result.result == "done"
            if result.result == "refused":
                self.refused[f"{order.command}: {result.code}"] += 1


class Importer:
    """One run."""

    def __init__(
        self,
        client: Client,
        plan: ImportPlan,
        pieces: Callable[[], Iterator[Piece]],
        user_ids: dict[str, str],
        meter: Meter,
    ) -> None:
        """``plan``: with all lines; ``pieces``: what it consists of, anew; ``user_ids``: nick -> id, of all people."""
        self.tally = ImportTally()
        self._client = client
        self._plan = plan
        self._pieces = pieces
        self._account = plan.account
        self._ids = user_ids
        self._meter = meter

    async def run(self) -> None:
        """Imports what is not there yet. Raises ImportFailed."""
        await self._make_room()
        wanted: set[str] = set()
        present = await self._look(wanted)
        await self._register([nick for nick in self._plan.people if self._ids[nick] in wanted])
        self._meter.stage("lines", self._plan.lines, "lines")
        for there, piece in zip(present, self._pieces(), strict=True):
            if there is None:
                self._meter.advance(piece.lines)
            else:
                await self._import(piece, there)

    # The room

    async def _make_room(self) -> None:
        """The room, and the account that owns it: nobody of old, who would have to hand it on when leaving."""
        plan = self._plan
        first = min(plan.people.values())
        username = account_name(plan.room)
        await self._register_as(self._account, username, shown_name(f"{plan.channel[:90]} (IRC)", username), first)
        fields = {
            "room": plan.room, "type": "public", "name": room_name(plan.channel),
            # The logs tell of each coming and going; they are events, not messages of the channel.
            "settings": {"announcements": False},
            "data": {"irc_channel": plan.channel[:1000]}, "members": [self._account],
        }  # fmt: skip
        order = ImportOrder(command="CreateRoom", fields=fields, actor=self._account, time=first, key="irc:room")
        results = await self._client.order([order])
        if results[0].result == "refused":
            raise ImportFailed(f"the room {plan.room} cannot be made: {results[0].detail}")
        self.tally.add([order], results)

    async def _register_as(self, user: str, username: str, name: str, time: str) -> None:
        """One service account. Raises ImportFailed when its name is another's."""
        handle = username_handle(username)
        orders = [
            ImportOrder(
                command="ClaimHandle", fields={"handle": handle, "user": user}, actor=user, time=time, key="irc"
            ),
            _registration(user, username, name, "service", time),
            ImportOrder(
                command="ConfirmHandle", fields={"handle": handle, "user": user}, actor=user, time=time, key="irc"
            ),
        ]
        for order in orders:
            (result,) = await self._client.order([order])
            if result.result == "refused":
                raise ImportFailed(f"the account {username}, which is to own the room, cannot be made: {result.detail}")

    async def _look(self, wanted: set[str]) -> list[int | None]:
        """How many of each piece's orders for the room are done; None for a piece that is there to the end.

        Orders of the room are appended in order, so what comes before a message that is there has been done too. What
        comes after the last one is ordered again: each of these orders changed something, so its key tells that.
        ``wanted`` gets the ids of those who act in what is left.
        """
        self._meter.stage("look", self._plan.lines, "lines")
        present: list[int | None] = []
        for piece in self._pieces():
            last = await self._last_message(piece)
            there = 0 if last is None else last + 1
            todo = [*piece.room[there:], *([] if there else piece.profiles)]
            wanted.update(order.actor for order in todo)
            present.append(there if todo else None)
            self._meter.advance(piece.lines)
        return present

    async def _last_message(self, piece: Piece) -> int | None:
        """Index in ``piece.room`` of the last message that is there already."""
        low, high = 0, len(piece.messages)
        # The usual cases first: all of it is there, or none.
        for place in (high - 1, 0):
            if low < high:
                if await self._has(piece, place):
                    low = max(low, place + 1)
                else:
                    high = min(high, place)
        while low < high:
            middle = (low + high) // 2
            if await self._has(piece, middle):
                low = middle + 1
            else:
                high = middle
        return piece.messages[low - 1] if low else None

    async def _has(self, piece: Piece, message: int) -> bool:
        id = piece.room[piece.messages[message]].id
        assert id is not None
        return await self._client.has_message(self._plan.room, id)

    async def _import(self, piece: Piece, there: int) -> None:
        """Profiles before the room, batch after batch: order within the room is kept, whatever is repeated."""
        for profiles in _batches([] if there else piece.profiles, BATCH):
            self.tally.add(profiles, await self._client.order(profiles))
        done = piece.above
        for start in range(there, len(piece.room), BATCH):
            orders = piece.room[start : start + BATCH]
            self.tally.add(orders, await self._client.order(orders))
            reached = piece.numbers[start + len(orders) - 1]
            self._meter.advance(reached - done)
            done = reached
        self._meter.advance(piece.above + piece.lines - done)

    # People

    async def _register(self, nicks: Sequence[str]) -> None:
        """Makes users of those nicks that are none yet: claims the names, registers, confirms."""
        self._meter.stage("people", len(nicks), "people")
        chunks = iter(list(_batches(nicks, PEOPLE)))

        async def work() -> None:
            for chunk in chunks:
                await self._register_some(chunk)
                self._meter.advance(len(chunk))

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(UNDER_WAY):
                    group.create_task(work())
        except BaseExceptionGroup as group_:
            raise group_.exceptions[0] from None

    async def _register_some(self, nicks: Sequence[str]) -> None:
        present: set[str] = set()
        for part in _batches(nicks, _LOOK_UP):
            present |= await self._client.users([self._ids[nick] for nick in part])
        missing = [nick for nick in nicks if self._ids[nick] not in present]
        names = await self._claim(missing)
        registrations = [
            _registration(self._ids[nick], name, shown_name(nick, name), "person", self._plan.people[nick])
            for nick, name in names.items()
        ]
        results = await self._client.order(registrations)
        self.tally.add(registrations, results)
        self.tally.registered += sum(result.result == "done" for result in results)
        await self._client.order([self._handle("ConfirmHandle", nick, name) for nick, name in names.items()])

    async def _claim(self, nicks: Sequence[str]) -> dict[str, str]:
        """Claims a username for each: nick -> username. Raises ImportFailed."""
        names: dict[str, str] = {}
        waiting = {nick: usernames(nick) for nick in nicks}
        while waiting:
            orders = {nick: self._handle("ClaimHandle", nick, names_[0]) for nick, names_ in waiting.items()}
            results = await self._client.order(list(orders.values()))
            for nick, result in zip(orders, results, strict=True):
                tried, *others = waiting.pop(nick)
                if result.result != "refused":
                    names[nick] = tried
                elif others:
                    waiting[nick] = others
                else:
                    raise ImportFailed(f"no username is free for the nick {nick}: {result.detail}")
        return names

    def _handle(self, command: str, nick: str, username: str) -> ImportOrder:
        user, time = self._ids[nick], self._plan.people[nick]
        fields = {"handle": username_handle(username), "user": user}
        return ImportOrder(command=command, fields=fields, actor=user, time=time, key="irc")


def _registration(user: str, username: str, name: str, role: str, time: str) -> ImportOrder:
    fields = {"user": user, "username": username, "name": name, "role": role}
    return ImportOrder(command="RegisterUser", fields=fields, actor=user, time=time, key="irc")


def _batches(items: Sequence[_Item], size: int) -> Iterator[Sequence[_Item]]:
    return (items[i : i + size] for i in range(0, len(items), size))
