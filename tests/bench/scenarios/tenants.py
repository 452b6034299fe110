"""What applications cost: the same people send within one application, and in a hundred of a thousand."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jwt
import psutil

from infra.ops import operator_token
from infra.ops.supervisor.up import settings_of
from tests.bench.figures import Figure
from tests.bench.scenarios import Options, throughput
from tests.bench.scenarios.throughput import SHAPES, Shape
from tests.bench.sheet import Sheet
from tests.bench.system import NotHere, Person, System
from tests.bench.systems.ours import Installation, Ours

NAME = "tenants"
ABOUT = (
    "1,000 applications of 100 users: 256 senders in 100 rooms, all of one application, then of 100 applications; "
    "before that the same within one, while it is alone"
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


class App(NamedTuple):
    """An application, and whom it has."""

    key: str
    secret: str
    people: list[Person]

    def signed(self, **claims: Any) -> str:
        moment = int(time.time())
        given = {"iat": moment, "exp": moment + _TOKEN_SECONDS, **claims}
        return jwt.encode(given, self.secret, "HS256", headers={"kid": self.key})


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
    """CPU for a message, acknowledgements and latencies, and the ratio of CPU."""
    if not isinstance(system, Ours):
        raise NotHere("expected an installation of the bench's own, whose operator makes applications")
    sheet = Sheet(NAME, system.name)
    apps, users = (_QUICK_APPS, _QUICK_USERS) if options.quick else (APPS, USERS)
    shape = Shape("", SHAPES[0].rooms if options.quick else SHAPES[1].rooms, ("rpc", "http"))
    async with Tenants(system) as tenants:
        first = await tenants.app("first", max(users, sum(shape.rooms)), sum(shape.rooms))
        await _warm(tenants, first, shape, options)
        for _ in range(options.repeat):
            await _measured(tenants, sheet, "alone", first.people, shape, options)
        others = await _others(tenants, apps, users, max(shape.rooms), options)
        # Rooms lie in applications of their own: members of a room are people of one.
        spread = [person for size, app in zip(shape.rooms, _cycled(others), strict=False) for person in app[:size]]
        for _ in range(options.repeat):
            await _measured(tenants, sheet, "of one of many", first.people, shape, options)
            await _measured(tenants, sheet, "of many", spread, shape, options)
    _ratios(sheet, shape)
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


async def _warm(tenants: Tenants, app: App, shape: Shape, options: Options) -> None:
    """What a new Kafka and new processes need until a message costs what it costs."""
    if options.quick:
        return
    options.say("warm-up")
    for _ in range(4):
        await throughput.measure(tenants.deal(app.people), shape, "rpc", options)


async def _others(tenants: Tenants, apps: int, users: int, senders: int, options: Options) -> list[App]:
    options.say(f"{apps:,} applications of {users}")
    slots = asyncio.Semaphore(4)

    async def made(number: int) -> App:
        async with slots:
            return await tenants.app(f"app {number}", users, min(users, senders * (1 + len(SHAPES[0].rooms) // apps)))

    found = await asyncio.gather(*(made(number) for number in range(apps - 1)))
    await tenants.settled()
    return found


async def _measured(
    tenants: Tenants, sheet: Sheet, title: str, people: Sequence[Person], shape: Shape, options: Options
) -> None:
    for way in shape.ways:
        options.say(f"{title}, {way}")
        titled = shape._replace(title=title)
        sheet.adopt(await throughput.measure(tenants.deal(people), titled, way, options))


def _ratios(sheet: Sheet, shape: Shape) -> None:
    """How much more a message costs where there are many applications."""
    median = {one.name: one.median for one in sheet.figures}
    for way in shape.ways:
        for title, beside in (("of many", "of one of many"), ("of many", "alone"), ("of one of many", "alone")):
            one, other = median.get(f"{title}, {way}: {_CPU}"), median.get(f"{beside}, {way}: {_CPU}")
            if one and other:
                sheet.add(f"{_CPU}, {way}: {title} to {beside}", "1", one / other)
