"""What applications cost: the same people send within one application, and in a hundred of a thousand."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jwt
import psutil

from infra.ops import operator_token
from infra.ops.supervisor.up import settings_of
from tests.bench.accounting import Cost
from tests.bench.figures import Figure
from tests.bench.load import Crowd
from tests.bench.scenarios import Options, throughput
from tests.bench.scenarios.throughput import SHAPES
from tests.bench.sheet import Sheet
from tests.bench.system import NotHere, Person, System, Way
from tests.bench.systems.ours import Installation, Ours

NAME = "tenants"
ABOUT = (
    "1,000 applications of 100 users, and beside it an installation with one application: in turns 256 senders in 100 "
    "rooms of the one that is alone, of one among the thousand, and of 100 of them"
)
SYSTEMS = ("ours",)
ONCE = True

#: Applications and users of each; people who send.
APPS, USERS = 1_000, 100
_QUICK_APPS, _QUICK_USERS = 8, 10
#: Users in one call of users.upsert.
_TOGETHER = 100
_TOKEN_SECONDS = 6 * 3600
_CPU = "CPU, 1,000 messages, all roles"
_WAYS: tuple[Way, ...] = ("rpc", "http")
#: Times that each sends in a repetition, and for how many seconds.
_ROUNDS, _SECONDS = 8, 1.0


class App(NamedTuple):
    """An application, and whom it has."""

    key: str
    secret: str
    people: list[Person]

    def signed(self, **claims: Any) -> str:
        moment = int(time.time())
        given = {"iat": moment, "exp": moment + _TOKEN_SECONDS, **claims}
        return jwt.encode(given, self.secret, "HS256", headers={"kid": self.key})


class Turn(NamedTuple):
    """Who sends, and where."""

    title: str
    tenants: Tenants
    crowd: Crowd


class Tenants(Installation):
    """What another one of ours runs, with people of applications, who are dealt out in their order."""

    about = "people of applications"

    def __init__(self, own: Ours) -> None:
        super().__init__(f"http://{own.host}:{own.port}")
        self._own = own
        self._dealt: Iterator[Person] = iter(())

    def deal(self, people: Sequence[Person]) -> Tenants:
        """Whom ``people`` gives from here on."""
        self._dealt = iter(people)
        return self

    async def people(self, count: int) -> list[Person]:
        return [next(self._dealt) for _ in range(count)]

    def processes(self) -> Mapping[str, Sequence[psutil.Process]]:
        return self._own.processes()

    def bytes_on_disk(self) -> int | None:
        return self._own.bytes_on_disk()

    async def app(self, name: str, users: int, senders: int) -> App:
        """A new application with users, of whom the first ``senders`` let everyone add them to rooms."""
        made = await self.ask("POST", "/v1/apps", {"name": name}, self._operator())
        app, ids = App(made["key"], made["secret"], []), [f"u{number}" for number in range(users)]
        for start in range(0, users, _TOGETHER):
            given = [{"external_id": id, "name": id} for id in ids[start : start + _TOGETHER]]
            answer = await self.ask("POST", "/v1/users/upsert", {"users": given}, app.signed(server=True))
            app.people.extend(
                Person(one["user"]["id"], app.signed(sub=id["external_id"]))
                for one, id in zip(answer["users"], given, strict=True)
            )
        for person in app.people[:senders]:
            await self.ask("PATCH", "/v1/users/me", {"added_by": "everyone"}, person.token)
        return app

    def _operator(self) -> str:
        settings = settings_of(self._own.data)
        assert settings is not None
        return operator_token.token(settings)


async def run(system: System, options: Options) -> list[Figure]:
    """CPU for a message, how many are acknowledged, and the ratios of CPU."""
    if not isinstance(system, Ours):
        raise NotHere("expected an installation of the bench's own, whose operator makes applications")
    sheet = Sheet(NAME, system.name)
    apps, users = (_QUICK_APPS, _QUICK_USERS) if options.quick else (APPS, USERS)
    rooms = SHAPES[0].rooms if options.quick else SHAPES[1].rooms
    senders = sum(rooms)
    with tempfile.TemporaryDirectory() as folder:
        async with Tenants(system) as tenants, Ours(Path(folder)) as other, Tenants(other) as lonely:
            alone = await lonely.app("alone", senders, senders)
            first = await tenants.app("first", max(users, senders), senders)
            others = await _others(tenants, apps, users, max(rooms), options)
            # Rooms lie in applications of their own: members of a room are people of one.
            spread = [person for size, app in zip(rooms, _cycled(others), strict=False) for person in app[:size]]
            people = {"alone": (lonely, alone.people), "of one of many": (tenants, first.people),
                      "of many": (tenants, spread)}  # fmt: skip
            for way in _WAYS:
                turns = [
                    Turn(title, where, await Crowd.gathered(where.deal(those), rooms, way))
                    for title, (where, those) in people.items()
                ]
                try:
                    await _in_turns(turns, way, sheet, options)
                finally:
                    for turn in turns:
                        turn.crowd.close()
    _ratios(sheet)
    return sheet.figures


def _cycled(apps: Sequence[App]) -> Iterator[list[Person]]:
    """People of each application in turn, evenly over all; of one that comes again, others."""
    step, taken = max(1, len(apps) // 100), [0] * len(apps)
    place = 0
    while True:
        app = apps[place % len(apps)]
        yield app.people[taken[place % len(apps)] :]
        taken[place % len(apps)] += 4
        place += step


async def _in_turns(turns: Sequence[Turn], way: Way, sheet: Sheet, options: Options) -> None:
    """Each sends for a second or so, in ever another order: what a machine does differently over time, and what
    processes do that have run for longer, is the same for all."""
    rounds = 1 if options.quick else _ROUNDS
    for number in range(-1 if options.quick else -2, options.repeat):
        options.say(f"{way}, {'warm-up' if number < 0 else f'repetition {number + 1}'}")
        sent, cpu, took = (dict.fromkeys((turn.title for turn in turns), 0.0) for _ in range(3))
        for round in range(rounds):
            for turn in (*turns, *turns)[round % len(turns) :][: len(turns)]:
                with Cost(turn.tenants) as cost:
                    found = await throughput.send_for(turn.tenants, turn.crowd, _SECONDS)
                    # What a message costs has the read models in it, and what else comes after the delivery.
                    await turn.tenants.settled()
                sent[turn.title] += found.messages
                took[turn.title] += found.seconds
                cpu[turn.title] += cost.server_cpu
        for title, messages in sent.items() if number >= 0 else ():
            sheet.add(f"{title}, {way}: acknowledged", "1/s", messages / took[title], "higher")
            sheet.add(f"{title}, {way}: {_CPU}", "s", cpu[title] / messages * 1000)


async def _others(tenants: Tenants, apps: int, users: int, senders: int, options: Options) -> list[App]:
    options.say(f"{apps:,} applications of {users}")
    slots = asyncio.Semaphore(4)

    async def made(number: int) -> App:
        async with slots:
            return await tenants.app(f"app {number}", users, min(users, senders * (1 + len(SHAPES[0].rooms) // apps)))

    found = await asyncio.gather(*(made(number) for number in range(apps - 1)))
    await tenants.settled()
    return found


def _ratios(sheet: Sheet) -> None:
    """How much more a message costs where there are many applications: of each repetition, so that what drifts
    cancels."""
    values = {one.name: one.values for one in sheet.figures}
    for way in _WAYS:
        for title, beside in (("of many", "of one of many"), ("of many", "alone"), ("of one of many", "alone")):
            pairs = (values.get(f"{one}, {way}: {_CPU}", []) for one in (title, beside))
            for one, other in zip(*pairs, strict=True):
                sheet.add(f"{_CPU}, {way}: {title} to {beside}", "1", one / other)
