"""A place in a list of one application finds nothing of it for others: every operation with a cursor, also as of the
past. Tests ``api/support/pages.py``, ``api/sync.py`` and what gives pages."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, NamedTuple

import pytest

from events.core.positions import encode_vector
from tests.api.applications import team_of
from tests.api.test_blocks_walk import Fields
from tests.api.test_isolation import APART, Side, sides
from tests.api.test_isolation_servers import Headed, called
from tests.client import OPERATIONS, Person, Refusal, World
from tests.running import until

#: Some 60 kB of a room, of which a page of a snapshot holds a few.
LARGE = {f"key-{n:02}": "x" * 900 for n in range(64)}
PASSWORD = "correct horse"
ROOM = {"room": "ROOM"}
#: Lists of users; ROOM is one of the caller's own.
PAGES: dict[str, list[Fields]] = {
    "users.find": [{"name": "mate"}],
    "sessions.list": [{}],
    "relationships.list": [{}, {"direction": "in"}],
    "visuals.list": [{}],
    "rooms.find": [{}, {"scope": "public"}, {"scope": "public", "custom": "{}"}, {"name": "Garden"}],
    "members.list": [ROOM, ROOM | {"custom": "{}"}],
    "invitations.list": [{}],
    "messages.read": [ROOM, ROOM | {"author": "ONE"}],
    "messages.search": [{"text": "hello"}, ROOM | {"text": "hello"}],
    "sync.get": [{}],
}  # fmt: skip
#: Lists of servers.
SERVERS: dict[str, list[Fields]] = {"users.query": [{"custom": '{"note":"hello"}'}], "teams.list": [{}]}
#: Those that one reads as of a moment, page by page.
PAST: dict[str, list[Fields]] = {
    "relationships.list": [{}, {"direction": "in"}], "visuals.list": [{}], "rooms.find": [{}], "members.list": [ROOM],
    "messages.read": [ROOM], "teams.list": [{}],
}  # fmt: skip
#: For operators only, or there in the default application only.
REFUSED = {"channels.list", "apps.list", "plans.list"}


class Holder(NamedTuple):
    """Somebody who has more than one of everything, and their application's server."""

    one: Person
    server: Person
    words: dict[str, str]
    #: All that is theirs.
    ids: list[str]

    def filled(self, fields: Fields) -> Fields:
        return {field: self.words.get(value, value) for field, value in fields.items()}

    def callers(self, name: str) -> list[Person]:
        if name in SERVERS:
            return [self.server]
        over_rpc = Person(self.one.world, {"user": {"id": self.one.id, "username": ""}, "token": self.one.token}, "rpc")
        return [self.one, over_rpc]


async def registered(world: World, operator: str, side: Side, name: str) -> Person:
    """Somebody who has registered by themselves, and so has sessions."""
    await world.call("apps.change", {"app": side.app.id, "settings": {"registration": True}}, token=operator)
    there = Headed(world, Klatsch_Api_Key=side.app.key)

    async def welcomed() -> Person | None:
        try:
            return await there.person(name, name=name.title(), password=PASSWORD)
        except Refusal as refusal:
            if refusal.code != "forbidden":
                raise
            return None

    found: Person = await until(welcomed, "anybody may register")
    found.world = world
    for _ in range(2):
        await there.log_in(found, PASSWORD)
    if side.team is not None:
        await world.call("users.set_team", {"user": found.id, "team": side.team}, token=side.app.server)
    return found


async def holder(world: World, operator: str, side: Side) -> Holder:
    one, *mates = [await registered(world, operator, side, name) for name in ("one", "mate", "mate", "mate")]
    ids = [one.id, *(mate.id for mate in mates)]
    for mate in mates:
        await one.do("relationships.set", user=mate.id, type="friend")
        await mate.do("relationships.set", user=one.id, type="friend")
        ids.append((await one.do("visuals.create", model_data={}))["visual"]["id"])
        await mate.do("users.change", custom={"note": "hello"})
    for n in range(5):
        room = await one.group(*mates, name=f"Garden {n}", data=LARGE)
        ids += [room, *[(await one.say(room))["id"] for _ in range(2)]]
    await one.do("users.change", added_by="nobody")
    for mate in mates:
        asked = await mate.group()
        await mate.do("members.add", room=asked, user=one.id)
        ids.append(asked)
    ids += [await team_of(world, side.app, name) for name in ("red", "blue")]
    return Holder(one, called(world, side.app.server), {"ROOM": room, "ONE": one.id}, ids)


def next_of(page: dict[str, Any]) -> str:
    """Where a page goes on. Fails where it is the last."""
    found: str | None = page["older"] if "older" in page else page["next"]
    assert found is not None, page
    return found


def twin_of(cursor: str, ids: list[str]) -> str:
    """A cursor of the same place, with ids of nobody."""
    text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    for id in ids:
        text = text.replace(id, id[:-1] + ("0" if id[-1] != "0" else "1"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


class Told(NamedTuple):
    """An answer: all of it as text, and what stands in its lists."""

    status: int
    text: str
    items: frozenset[str]


async def told(asking: Person, name: str, fields: Fields) -> Told:
    try:
        page = await asking.do(name, **fields)
    except Refusal as refusal:
        return Told(refusal.status, repr(refusal.said), frozenset())
    # A cursor repeats the filters that it goes on with, whoever is named there.
    page |= {way: page[way] is not None for way in ("older", "newer", "next") if way in page}
    lists = [found for found in page.values() if isinstance(found, list)]
    return Told(200, repr(page), frozenset(repr(one) for found in lists for one in found))


def test_the_walk_names_every_operation_with_a_cursor() -> None:
    listed = {name for name, row in OPERATIONS.items() if "cursor" in row.request.__struct_fields__}
    assert listed == PAGES.keys() | SERVERS.keys() | REFUSED
    # By a name one searches in the present only.
    past = {name for name in listed - REFUSED if OPERATIONS[name].has_past}
    assert past == PAST.keys() | {"users.find"}


@pytest.mark.parametrize("apart", APART)
async def test_a_cursor_of_another_goes_on_in_ones_own(world: World, operator: str, apart: str) -> None:
    """As one with ids of nobody does; what it finds is one's own, which is told without it too."""
    first, second = await sides(world, operator, apart)
    # What the caller has is older and newer than what the other has.
    before = await holder(world, operator, second)
    owner, caller = await holder(world, operator, first), await holder(world, operator, second)
    place = encode_vector(world.position)
    cases: list[tuple[str, Fields, Fields]]
    cases = [(name, fields, {}) for lists in (PAGES, SERVERS) for name, listed in lists.items() for fields in listed]
    cases += [(name, fields, {"as_of": place}) for name, listed in PAST.items() for fields in listed]
    wrong: list[Any] = []
    for name, fields, moment in cases:
        if name in SERVERS and apart != "application":
            continue
        size: Fields = {} if name == "sync.get" else {"limit": 1}
        page = await owner.callers(name)[0].do(name, **owner.filled(fields), **moment, **size)
        cursor = next_of(page)
        for mine in (before, caller):
            for asking in mine.callers(name):
                # The cursor of a filtered history has the filters itself.
                given = {field: value for field, value in mine.filled(fields).items() if field != "author"} | moment
                said = await told(asking, name, given | {"cursor": cursor})
                twin = await told(asking, name, given | {"cursor": twin_of(cursor, owner.ids)})
                whole = await told(asking, name, given)
                expected = 422 if name == "sync.get" else 200
                if said != twin or said.status != expected or not said.items <= whole.items:
                    wrong.append((name, fields, moment, said, twin))
                assert not [id for id in owner.ids if id in said.text], (name, fields, said)
    assert not wrong, "\n".join(map(str, wrong))


async def test_a_cursor_of_what_one_may_not_list_changes_nothing(world: World, operator: str) -> None:
    ada = await world.person("ada")
    for n in range(2):
        await ada.do("channels.create", name=f"Raid {n}", limit=5)
        await world.call("plans.define", {"name": "Pro", "tier": "pro"}, token=operator)
    side, _ = await sides(world, operator, "application")
    one, server = await registered(world, operator, side, "one"), called(world, side.app.server)
    for name in sorted(REFUSED):
        lister = ada if name == "channels.list" else called(world, operator)
        cursor = next_of(await lister.do(name, limit=1))
        for asking in (one, server):
            said = await told(asking, name, {"cursor": cursor})
            # A server lists channels for one of its users only: it is told that it names none.
            expected = 422 if (asking, name) == (server, "channels.list") else 403
            assert said.status == expected and said == await told(asking, name, {}), (name, said)
