"""Moments, positions and tags of one application tell others nothing: reads as of them, reads that wait for them, and
reads by whoever says that they know the answer. Tests ``api/core/moments.py`` and ``api/core/http.py``."""

from __future__ import annotations

from typing import Any, NamedTuple

import aiohttp
import pytest

from events.core.clock import now
from events.core.positions import parse_vector
from tests.api.test_blocks_walk import NAMED, Fields, answer
from tests.api.test_isolation import APART, scene
from tests.api.test_isolation_servers import NAMES, Headed
from tests.client import OPERATIONS, Person, Via, World

#: Reads of the past that name nobody, or what is asked for as well as what is one's own.
OWN: dict[str, list[Fields]] = {
    "users.me": [{}],
    "relationships.list": [{}, {"direction": "in"}],
    "visuals.list": [{}, {"ids": "VISUAL"}],
    "rooms.find": [{}],
}


#: How ids of the owner's would stand in what ``answer`` says.
SHOWN = ("'USER'", "'ROOM'", "'MESSAGE'", "'VISUAL'")


class Recorder(World):
    """A client that keeps each position it is told of, and the time."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        super().__init__(url, http)
        self.moments: list[str] = []

    def seen(self, position: str) -> None:
        super().seen(position)
        if position:
            self.moments += [position, now()]


class Moments(NamedTuple):
    """Who is apart from somebody who did something, and the places and times of that."""

    owner: Person
    caller: Person
    there: dict[str, str]
    unknown: dict[str, str]
    moments: list[str]


async def moments(world: World, operator: str, via: Via, apart: str) -> Moments:
    """The caller knows of no position."""
    recorder = Recorder(world.url, world.http)
    owner, caller, there, unknown = await scene(recorder, operator, via, "public", apart)
    await owner.do("messages.edit", room=there["ROOM"], message=there["MESSAGE"], content={"text": "edited"})
    alone = World(world.url, world.http)
    known = Person(alone, {"user": {"id": caller.id, "username": ""}, "token": caller.token}, via)
    # Of what they did last: an account reads the past some hundreds of times at once.
    return Moments(owner, known, there, unknown, recorder.moments[-8:])


def test_the_walk_names_every_read_of_the_past() -> None:
    past = {name for name, row in OPERATIONS.items() if row.has_past and row.permission != "operator"}
    assert past <= NAMED.keys() | NAMES.keys() | OWN.keys()


@pytest.mark.parametrize("apart", APART)
async def test_a_moment_of_another_shows_nothing_of_them(world: World, operator: str, via: Via, apart: str) -> None:
    found = await moments(world, operator, via, apart)
    past = [(name, fields) for name, listed in NAMED.items() for fields in listed if OPERATIONS[name].has_past]
    wrong: list[Any] = []
    for moment in found.moments:
        for name, fields in past:
            asked = fields | {"as_of": moment}
            said = await answer(found.caller, name, asked, found.there)
            if said != (twin := await answer(found.caller, name, asked, found.unknown)):
                wrong.append((name, asked, said, twin))
        for name, listed in OWN.items():
            for fields in listed:
                status, text = await answer(found.caller, name, fields | {"as_of": moment}, found.there)
                # Who was not registered yet was nobody.
                if status not in ((200, 404) if name == "users.me" else (200,)) or any(word in text for word in SHOWN):
                    wrong.append((name, fields, moment, status, text))
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("apart", APART)
async def test_a_read_that_waits_for_another_is_answered_as_one_that_does_not(
    world: World, operator: str, via: Via, apart: str
) -> None:
    found = await moments(world, operator, via, apart)
    reads = [(name, fields) for lists in (NAMED, OWN) for name, listed in lists.items() for fields in listed
             if OPERATIONS[name].method == "GET"]  # fmt: skip
    places = [moment for moment in found.moments if "/" in moment]
    wrong: list[Any] = []
    for name, fields in reads:
        for words in (found.there, found.unknown):
            found.caller.world.position = {}
            without = await answer(found.caller, name, fields, words)
            found.caller.world.position = parse_vector(places[-1])
            said = await answer(found.caller, name, fields, words)
            if said != without:
                wrong.append((name, fields, said, without))
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("apart", APART)
async def test_a_tag_of_another_is_of_nothing(world: World, operator: str, apart: str) -> None:
    """Nobody is told that what they may not read has not changed."""
    found = await moments(world, operator, "http", apart)
    room, moment = found.there["ROOM"], found.moments[-2]
    tags = []
    for params in ({}, {"as_of": moment}):
        read = await world.request("GET", f"/v1/rooms/{room}/messages", token=found.owner.token, params=params)
        assert read.status == 200
        tags.append(read.headers["ETag"])
    caller = Person(
        Headed(world, If_None_Match=", ".join([*tags, "*"])),
        {"user": {"id": found.caller.id, "username": ""}, "token": found.caller.token}, "http",
    )  # fmt: skip
    named = [("messages.read", {"room": "ROOM"}), ("messages.search", {"room": "ROOM", "text": "hello"})]
    past = ("rooms.get", "messages.read", "members.list", "rooms.pins")
    named += [(name, fields | {"as_of": moment}) for name in past for fields in NAMED[name]]
    for name, fields in named:
        said = await answer(caller, name, fields, found.there)
        assert said == await answer(caller, name, fields, found.unknown) and said[0] == 404, (name, fields, said)
