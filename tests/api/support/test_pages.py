"""Every paged list of the operations: whatever the size of its pages, all of it, once, in the order of one whole page.

Times of its items are equal, or run backwards, as those of several machines do. A list that is not known here fails.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, NamedTuple

import msgspec
import pytest
from msgspec.structs import replace

from api.core import calls
from api.support.feed import FeedEnds
from api.sync import PARTS, SyncRequest, sync
from events.core.clock import after, now
from events.core.positions import encode_vector
from infra.base import postgres
from infra.base.progress import Progress
from infra.base.settings import Settings
from tests.api.conftest import minted
from tests.api.counting import Reader
from tests.api.test_search_order import said
from tests.client import OPERATIONS, Person, World, visiting
from tests.parts import Parts
from tests.running import until
from tests.servers import installation, serving

Json = dict[str, Any]

PASSWORD = "correct horse battery"
COUNT = 5
#: Times of imported messages, in the order of the log: three are equal, and each next one is earlier.
TIMES = [after("2021-05-05T05:05:05.000Z", -40 * 86_400 * max(0, n - 2)) for n in range(COUNT)]

#: Those of operators and servers: tests/api/test_apps.py and tests/api/test_app_users.py walk them; plans:
#: tests/api/test_plans.py.
OPERATORS = {"apps.list", "teams.list", "users.query", "plans.list"}
#: Lists that come in pages.
PAGED = {
    name
    for name, operation in OPERATIONS.items()
    if "cursor" in operation.returns.values()
    or (
        operation.method == "GET"
        and {"cursor", "before", "after", "around", "limit"} & set(operation.request.__struct_fields__)
    )
} - OPERATORS


class Way(NamedTuple):
    """How a list goes on: the member of a page, the parameter that takes it, where the next page stands."""

    member: str = "next"
    takes: str = "cursor"
    before: bool = False
    #: An empty page is the last one, as each has a place to go on from.
    endless: bool = False


class Listed(NamedTuple):
    """A list as somebody asks for it."""

    name: str
    person: Person
    items: str
    #: What an item is.
    id: Callable[[Json], Any]
    #: What it has, a list: in this order; None: whatever it has.
    wanted: list[Any] | set[Any] | None
    fields: Json = {}
    ways: tuple[Way, ...] = (Way(),)


class Scene(NamedTuple):
    """What was done, by whom."""

    settings: Settings
    world: World
    ada: Person
    eve: Person
    others: list[Person]
    rooms: list[str]
    visuals: list[str]
    channels: list[int]
    #: In the order they were opened.
    sessions: list[str]
    word: str
    #: Where ada's deltas begin.
    begin: str


def field(name: str, within: str | None = None) -> Callable[[Json], Any]:
    return lambda item: (item if within is None else item[within])[name]


async def walked(listed: Listed, limit: int, **more: Any) -> list[Any]:
    """What all pages have, in their order."""
    first = await listed.person.do(listed.name, **listed.fields, limit=limit, **more)
    found = [listed.id(item) for item in first[listed.items]]
    kept = {key: value for key, value in listed.fields.items() if key not in ("before", "after", "around", "since")}
    for way in listed.ways:
        page = first
        while page[way.member] is not None and (page[listed.items] or not way.endless):
            page = await listed.person.do(listed.name, **kept, limit=limit, **{way.takes: page[way.member]}, **more)
            items = [listed.id(item) for item in page[listed.items]]
            assert len(items) <= limit, (listed, limit)
            found = items + found if way.before else found + items
    return found


async def check(listed: Listed, **more: Any) -> None:
    """Pages of any size have what one page has, in its order."""
    whole = await walked(listed, 200, **more)
    about = (listed.name, listed.fields, whole)
    assert len(set(whole)) == len(whole) >= COUNT, about
    if listed.wanted is not None:
        assert (whole if isinstance(listed.wanted, list) else set(whole)) == listed.wanted, about
    for limit in (1, 2):
        assert await walked(listed, limit, **more) == whole, (limit, *about)


@pytest.fixture
def clock() -> Iterator[None]:
    """The server's, which goes a second back with every third event that is asked for."""
    begin, steps = now(), itertools.count()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calls, "now", lambda: after(begin, -(next(steps) // 3)))
        yield


@pytest.fixture
async def scene(parts: Parts, clock: None) -> AsyncIterator[Scene]:
    """In an installation of its own: public rooms are known, and nobody else has that clock."""
    async with installation(parts) as settings, serving(settings) as url, visiting(url) as world:
        yield await played(settings, world)


async def played(settings: Settings, world: World) -> Scene:
    word = f"w{secrets.token_hex(6)}"
    ada, eve = await world.person("ada", password=PASSWORD), await world.person("eve", added_by="contacts")
    begin = (await ada.do("changes.pull"))["cursor"]
    others = [await world.person(f"other{n}", name=f"Same {word}") for n in range(COUNT)]
    sessions = []
    for one in [ada, *[await world.log_in(ada, PASSWORD) for _ in range(COUNT - 1)]]:
        found = (await one.do("sessions.list"))["sessions"]
        sessions += [session["id"] for session in found if session["current"]]
    for other in others:
        await ada.do("relationships.set", user=other.id, type="friend")
        await other.do("relationships.set", user=ada.id, type="friend")
    visuals = [await ada.do("visuals.create", model_data={"n": n}, emotion_data={}) for n in range(COUNT)]
    channels = [(await ada.do("channels.create", name=f"Same {word}", limit=5))["channel"]["id"] for _ in range(COUNT)]
    rooms = [
        await ada.group(*others, name=f"Same {word}", settings={"announcements": False}) for _ in range(COUNT)
    ]  # fmt: skip
    for room in rooms:
        await ada.do("members.add", room=room, user=eve.id)
    for room in rooms[:2]:
        await said(world, minted(settings), ada, room, word, [(time, None) for time in TIMES])
    made = [one["visual"]["id"] for one in visuals]
    return Scene(settings, world, ada, eve, others, rooms, made, channels, sessions, word, begin)


def lists(scene: Scene) -> list[Listed]:
    """Each list of the operations but the snapshot, some in several ways."""
    ada, eve, room, rooms = scene.ada, scene.eve, scene.rooms[0], set(scene.rooms)
    people, seqs, same = [one.id for one in scene.others], list(range(1, COUNT + 1)), {"name": f"Same {scene.word}"}
    said = {(one, seq) for one in scene.rooms[:2] for seq in seqs}
    older, newer = Way("older", before=True), Way("newer")
    messages = Listed("messages.read", ada, "messages", field("seq"), seqs, {"room": room}, (older,))
    entries = Listed("rooms.find", ada, "rooms", field("id", "room"), rooms)
    related = Listed("relationships.list", ada, "relationships", field("other"), people[::-1])
    return [
        Listed("users.find", ada, "users", field("id"), set(people), same),
        Listed("sessions.list", ada, "sessions", field("id"), scene.sessions[::-1]),
        related,
        related._replace(id=field("user"), wanted=set(people), fields={"direction": "in"}),
        Listed("visuals.list", ada, "visuals", field("id"), set(scene.visuals)),
        Listed("channels.list", ada, "channels", field("id"), scene.channels),
        entries,
        entries._replace(fields=same),
        entries._replace(person=eve, fields={"scope": "public"}),
        Listed("rooms.history", ada, "changes", field("position"), None, {"room": room}, (Way("before", "before"),)),
        Listed("members.list", ada, "members", field("id", "user"), [ada.id, *people], {"room": room}),
        Listed("invitations.list", eve, "invitations", field("room"), rooms),
        messages,
        messages._replace(fields={"room": room, "before": 100}),
        messages._replace(fields={"room": room, "after": 0}, ways=(newer,)),
        messages._replace(fields={"room": room, "around": 3}, ways=(older, newer)),
        Listed("messages.search", ada, "found", lambda one: (one["message"]["room"], one["message"]["seq"]), said,
               {"text": scene.word}),
        Listed("changes.pull", ada, "changes", msgspec.json.encode, None, {"since": scene.begin},
               (Way("cursor", "since", endless=True),)),
    ]  # fmt: skip


async def snapshot(scene: Scene, size: int) -> list[list[tuple[str, Any]]]:
    """Pages of this many bytes; those after the first have one item at least."""
    connection = await postgres.connect(scene.settings)
    reader = Reader(replace(scene.settings, snapshot_bytes=size), connection, scene.ada.id)
    reader.feed, reader.progress = FeedEnds(scene.settings), Progress(scene.settings)
    await reader.feed.start()
    await reader.progress.start()
    try:
        found, cursor = list[list[tuple[str, Any]]](), None
        while not found or cursor is not None:
            page = await sync(reader.call, SyncRequest(cursor=cursor))
            found.append([(part, msgspec.json.decode(item)) for part in PARTS for item in page[part]])
            cursor = page["next"]
        return found
    finally:
        await reader.feed.stop()
        await reader.progress.stop()
        await connection.close()


async def test_pages_have_it_all_once_in_one_order(scene: Scene) -> None:
    assert {listed.name for listed in lists(scene)} | {"sync.get"} == PAGED, "a list that is not walked here"

    async def fed() -> bool:
        pulled = await walked(lists(scene)[-1], 1000)
        return sum(b'"message.posted"' in one for one in pulled) == 2 * COUNT

    await until(fed, "the feed has the last message")
    for listed in lists(scene):
        await check(listed)


async def test_a_snapshot_has_it_all_once(scene: Scene) -> None:
    """By id over pages; within a page rooms stand by their latest activity, as clients keep them."""
    (whole,) = await snapshot(scene, 256 * 1024)
    assert len(whole) == 3 * COUNT
    pages = await snapshot(scene, 1)
    assert max(map(len, pages)) == 1
    alone = [item for page in pages for item in page]
    rooms = [one["room"] for part, one in alone if part == "rooms"]
    assert [room["id"] for room in rooms] == sorted(scene.rooms)
    latest = sorted(rooms, key=lambda room: (room["updated"], room["id"]), reverse=True)
    assert [one["room"] for part, one in whole if part == "rooms"] == latest
    assert [one for one in alone if one[0] != "rooms"] == [one for one in whole if one[0] != "rooms"]


async def test_pages_of_the_past_do_too(scene: Scene) -> None:
    moment, ada = encode_vector(scene.world.position), scene.ada
    for other in scene.others[1::2]:
        await ada.do("relationships.set", user=other.id, type=None)
        await other.do("members.remove", room=scene.rooms[0], user="me")
    late = await scene.world.person("late")
    await late.do("relationships.set", user=ada.id, type="friend")
    await ada.do("visuals.create", model_data={}, emotion_data={})
    await ada.group(late)
    await ada.say(scene.rooms[0])
    # Searches are of the present.
    there = [listed for listed in lists(scene) if not {"name", "scope"} & listed.fields.keys()]
    asked = {"ids": ",".join(one.id for one in scene.others)}
    there.append(lists(scene)[0]._replace(fields=asked))
    there = [one for one in there if OPERATIONS[one.name].has_past]
    assert {one.name for one in there} == {name for name in PAGED if OPERATIONS[name].has_past}
    for listed in there:
        # Some are by id then.
        wanted = listed.wanted if listed.wanted is None else set(listed.wanted)
        await check(listed._replace(wanted=wanted), as_of=moment)
