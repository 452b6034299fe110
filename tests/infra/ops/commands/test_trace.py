"""``klatsch trace``: the way of a message, for those who got it and those who did not."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import pytest
from msgspec.structs import replace

from api.connections import CONNECTIONS_PATH
from events.core.feed import NAMED_ROOM
from events.core.positions import Position
from infra.base.settings import Settings
from infra.embedded.ports import free_port
from infra.ops.commands.errors import CannotDo
from infra.ops.commands.trace import sources, trace
from infra.ops.commands.trace_report import Trace, lasted, text
from producers.engine.router import PROOF_HEADER, proof
from projectors.read_models.projector import ReadModels
from projectors.read_models.redrive import pass_over
from tests.client import Person, Socket, World, visiting
from tests.infra.ops.operating import SCENE, history, klatsch
from tests.projectors.scenes import joined, left, posted
from tests.running import running, until
from tests.servers import serving

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
async def world(settings: Settings) -> AsyncIterator[tuple[Settings, World]]:
    """A running installation with all roles, and its people."""
    settings = replace(settings, port=free_port())
    async with serving(settings) as url, visiting(url) as visited:
        yield settings, visited


async def _traced(settings: Settings, what: str, user: Person | str | None = None) -> Trace:
    async with sources(settings) as asked:
        return await trace(asked, what, user.id if isinstance(user, Person) else user)


def _outcome(found: Trace) -> tuple[str, str]:
    assert found.outcome is not None
    return found.outcome.state, found.outcome.why


async def _heard(socket: Socket, message: str) -> None:
    """Until the message has come."""

    async def here() -> bool:
        return any(delta["data"].get("message") == message for delta in socket.pushed)

    await until(here, f"message {message}")


async def test_a_message_is_followed_to_the_connections(world: tuple[Settings, World]) -> None:
    settings, visited = world
    ada, bob, eve = [await visited.person(name) for name in ("ada", "bob", "eve")]
    room = await ada.group(bob, name="Stars")
    socket = await visited.socket(bob.token)
    sent = await ada.say(room, "hello", token="greeting")
    await _heard(socket, sent["id"])
    # A read waits until the tables have what its user has done.
    await ada.do("rooms.get", room=room)
    found = await _traced(settings, sent["id"], bob)
    assert (found.event.actor, found.event.command, found.event.seq) == (ada.id, "PostMessage:greeting", sent["seq"])
    assert found.valid and found.term is not None and found.term < found.event.position.offset
    assert found.event.applied and found.event.next_offset > found.event.position.offset
    assert _outcome(found)[0] == "sent"
    (one,) = [one for one in found.sent if one.handed]
    assert one.node == settings.address and one.live and one.keeps_up
    assert "bob" in text(found)[-1]
    _reads_plainly(text(found))

    await bob.do("members.read", room=room, seq=sent["seq"])
    await bob.do("rooms.get", room=room)
    position = str(found.event.position)
    assert _outcome(await _traced(settings, position, bob))[0] == "read"

    # The author has no connection; eve was never there, and joins too late.
    own = await _traced(settings, sent["id"], ada.username)
    assert _outcome(own) == ("read", "they did it themselves") and "  read       yes: their own message" in text(own)
    assert _outcome(await _traced(settings, sent["id"], eve)) == ("not for them", "they were never in the room")
    await ada.do("members.add", room=room, user=eve.id)
    await ada.say(room, "again")
    await ada.do("rooms.get", room=room)
    state, why = _outcome(await _traced(settings, sent["id"], eve))
    assert (state, why.startswith("they joined the room later, at rooms/")) == ("not for them", True)

    # Without a person: all who were named.
    everybody = await _traced(settings, sent["id"])
    recipients = {user for look in everybody.fed.values() for item in look.items for user in item.recipients}
    assert recipients == {ada.id, bob.id} and everybody.outcome is None


def _reads_plainly(lines: list[str]) -> None:
    """Every stage is named once, in order, with what it means; what takes time has a unit."""
    assert re.fullmatch(r"Message \d+ \(message\.posted\) of #\w+, by .+", lines[0])
    for line, pattern in zip(
        lines[2:8],
        (
            r"  accepted   at \S+Z: the command PostMessage:\w+ was decided",
            r"  appended   [\d.]+ m?s later: in the log at rooms/\d+/\d+, in term \d+",
            r"  projected  yes: the read models include it, so reads show it",
            r"  fed        [\d.]+ m?s after that: in the feed at feed/\d+/\d+, for \S.*",
            r"  sent       to connection \S+ at \S+: it went out",
            r"  read       (nothing in this room|no: their client has said number \d+, at \S+Z)",
        ),
        strict=True,
    ):
        assert re.fullmatch(pattern, line), line


def test_the_page_shows_what_the_command_says() -> None:
    page = (ROOT / "docs" / "howto" / "look-at-events.md").read_text()
    _reads_plainly(page.partition(" --for ada\n")[2].partition("```")[0].splitlines())


def test_what_lasted_has_a_unit() -> None:
    assert [lasted(ms) for ms in (-3, 0, 2.4, 999, 1500, 59_900)] == [
        "0 ms",
        "0 ms",
        "2 ms",
        "999 ms",
        "1.5 s",
        "59.9 s",
    ]
    assert [lasted(seconds * 1000) for seconds in (180, 7200, 36_000, 10 * 86_400)] == [
        "3 min",
        "2 h",
        "10 h",
        "10 days",
    ]


async def test_people_by_id_and_by_name(world: tuple[Settings, World]) -> None:
    settings, visited = world
    ada = await visited.person("ada")
    sent = await ada.say(await ada.group(name="Stars"))
    for who in (ada.id, ada.username, ada.username.upper()):
        person = (await _traced(settings, sent["id"], who)).person
        assert person is not None and person.id == ada.id


async def test_an_imported_message_says_that_its_time_is_old(settings: Settings) -> None:
    old = posted("stars", "ada", 3)._replace(time="2015-01-02T03:04:05.000Z")
    async with history(settings, *SCENE) as writer:
        (at,) = await writer.events(old)
        async with running(ReadModels(settings)):
            await writer.level()
        lines = text(await _traced(settings, str(at)))
    assert re.search(
        rf"^  appended   [\d,]+ days later: in the log at {at}, .*an import, which keeps old times$", lines[3]
    )


async def test_messages_without_a_command_and_edited_ones_are_found(world: tuple[Settings, World]) -> None:
    settings, visited = world
    ada, bob = await visited.person("ada"), await visited.person("bob")
    room = await ada.group(name="Stars")
    sent = await ada.say(room, "first")
    await ada.do("messages.edit", room=room, message=sent["id"], content={"text": "second"})
    await bob.do("members.add", room=room, user=bob.id)
    page = await ada.do("messages.read", room=room)
    join = next(message for message in page["messages"] if message["type"] == "join")
    assert (await _traced(settings, sent["id"])).event.type == "message.posted"
    assert (await _traced(settings, join["id"])).event.type == "member.joined"


async def test_the_route_is_for_processes_of_the_installation(world: tuple[Settings, World]) -> None:
    settings, visited = world
    ada = await visited.person("ada")
    await visited.socket(ada.token)
    async with aiohttp.ClientSession(visited.url) as http:
        for headers in ({}, {PROOF_HEADER: "guess"}, {"Authorization": f"Bearer {ada.token}"}):
            async with http.get(CONNECTIONS_PATH, params={"user": ada.id}, headers=headers) as response:
                assert response.status == 403
        async with http.get(CONNECTIONS_PATH, params={"user": ada.id}, headers={PROOF_HEADER: proof(settings)}) as good:
            assert len(msgspec.json.decode(await good.read())["connections"]) == 1


async def test_what_is_not_known_is_refused(world: tuple[Settings, World]) -> None:
    settings, visited = world
    ada = await visited.person("ada")
    sent = await ada.say(await ada.group(name="Stars"))
    for what, user, said in (
        ("0199c2a4-0000-7000-8000-000000000000", None, "expected the id of a message, or a position"),
        ("nul \x00", None, "expected the id of a message, or a position"),
        ("rooms/0/99999", None, "expected a position of rooms/0 from 0 to"),
        (sent["id"], "nobody", "--for: expected the id or the username of somebody"),
    ):
        with pytest.raises(CannotDo, match=said):
            await _traced(settings, what, user)
    said = await klatsch(settings, "trace", sent["id"], "--for", ada.username)
    assert "they did it themselves" in said and "no connection is there now" in said and "accepted" in said
    assert "error: --for: expected" in await klatsch(settings, "trace", sent["id"], "--for", "x", expected=1)


async def test_a_parked_message_says_so(settings: Settings) -> None:
    async with history(settings, *SCENE) as writer:
        (bad,) = await writer.events(posted("stars", "ada", 3, "nul \x00"))
        async with running(ReadModels(settings)):
            await writer.level()
        for what in ("stars-m3", str(bad)):
            found = await _traced(settings, what)
            assert not found.event.applied and "parked by read_models" in found.event.aside[0]
            # No feed projector runs.
            assert {look.state for look in found.fed.values()} == {"awaited"}
        await pass_over(writer.connection, bad, "no use", "grace")
        skipped = await _traced(settings, str(bad))
        assert skipped.event.aside == ["skipped by read_models: no use (grace)"] and not skipped.event.applied


async def test_what_the_read_models_do_not_have_yet_is_found_in_the_log(settings: Settings) -> None:
    async with history(settings, *SCENE) as writer:
        async with running(ReadModels(settings)):
            await writer.level()
        (late,) = await writer.events(posted("stars", "ada", 3))
        for what in ("stars-m3", str(late)):
            found = await _traced(settings, what)
            assert (found.event.position, found.event.seq, found.event.next_offset) == (late, 3, late.offset)
            assert "not yet: the read models are at" in "\n".join(text(found))
        old = (await writer.log(late.shard)).term
        await (await writer.log(late.shard)).open()
        void = await writer.late(posted("stars", "ada", 4), old)
        found = await _traced(settings, str(void), "ada")
        assert not found.valid and _outcome(found)[0] == "void"


async def test_members_of_a_large_room_are_those_who_were_in_it(world: tuple[Settings, World]) -> None:
    settings, visited = world
    ada, bob = await visited.person("ada"), await visited.person("bob")
    room = await ada.group(bob, name="Crowd")
    async with history(settings) as writer:
        crowd = [joined(room, f"user-{number}") for number in range(NAMED_ROOM)]
        await writer.events(*crowd, left(room, "user-0"))
        await writer.level()
    sent = await ada.say(room, "hello all")

    async def fed() -> Trace | None:
        found = await _traced(settings, sent["id"], bob)
        return found if any(look.items for look in found.fed.values()) else None

    # The feed is not the answer's business: it comes a moment later.
    found = await until(fed, "the message is fed")
    assert [item.recipients for look in found.fed.values() for item in look.items] == [[f"room:{room}"]]
    assert _outcome(found)[0] == "not connected"
    assert isinstance(found.event.position, Position)
