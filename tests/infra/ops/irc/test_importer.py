"""The IRC import into a running installation: twice, interrupted, and while the server comes and goes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from signal import SIGINT, SIGKILL

import pytest
from msgspec.structs import replace

from events.members import Member, member_key
from events.messages import Message, message_key
from events.rooms import Room, room_key
from infra.base.settings import Settings
from infra.ops import operator_token
from infra.ops.irc.people import user_id
from projectors.views import message_view, own_member_view, room_view
from tests.client import World, visiting
from tests.infra.ops.irc.importing import count, folded, heads, imported, importing, made_up, totals
from tests.parts import Parts
from tests.running import until
from tests.servers import ALL, installation, process, serving

FIRST = """=== trey [~trey@host]  has joined #made
[12:58] <|trey|> usual, quite stable though  :)
[12:58] <Bob> hi
[12:58] <bob> hi, other one
=== |trey| shuts up
[01:01] <Bob> \x02bold\x0f
=== Bob is now known as Bob[away]
=== bob [~b@host]  has left #made ["bye"]
=== mode/#made [+o trey]  by ChanServ
[01:02] <citrix>
[01:02] <caf\u00e9> na\u00efve
"""
SECOND = """[23:59] <|trey|> back again
[00:01]  * bob waves
=== trey [~trey@host]  has joined #made
"""


@pytest.fixture
async def settings(parts: Parts) -> AsyncIterator[Settings]:
    """An installation for each test, so that its totals are those of the test."""
    async with installation(parts) as settings:
        yield settings


def _person(settings: Settings, nick: str) -> str:
    """A token of an imported person, as none of them can log in."""
    return operator_token.token(settings, user=user_id(settings.secret, nick), role="person")


async def test_two_files_twice(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "2004-11-15.txt").write_text(FIRST)
    (tmp_path / "2004-11-16.txt").write_text(SECOND)
    async with serving(settings) as url, visiting(url) as world:
        said = await imported(settings, tmp_path)
        assert "2 files, 14 lines, 6 people" in said and "1 role given, 1 role taken" in said
        first, ends = await totals(settings), await heads(settings)
        # trey, |trey|, Bob, bob, Bob[away], café, and the account that owns the room.
        assert first == {
            "users": 7, "handles": 7, "messages": 8, "actions": 2, "joined": 8, "left": 2, "members": 6, "parked": 0,
            "roles": 2, "admins": 0, "topics": 0,
        }  # fmt: skip
        again = await imported(settings, tmp_path)
        assert "0 messages, 0 people" in again
        assert await heads(settings) == ends and await totals(settings) == first
        await _check_messages(world, settings)
        await _check_search(world, settings)
        await _check_sync(world, settings, "bob")


async def _check_messages(world: World, settings: Settings) -> None:
    page = await world.call("messages.read", {"room": "irc-made"}, token=_person(settings, "bob"))
    found = [(m["seq"], m["type"], m["content"]["text"], m["created"][:16]) for m in page["messages"]]
    assert found == [
        (1, "text", "usual, quite stable though  :)", "2004-11-15T12:58"), (2, "text", "hi", "2004-11-15T12:58"),
        (3, "text", "hi, other one", "2004-11-15T12:58"), (4, "action", "shuts up", "2004-11-15T12:58"),
        (5, "text", "bold", "2004-11-15T13:01"), (6, "text", "na\u00efve", "2004-11-15T13:02"),
        (7, "text", "back again", "2004-11-16T23:59"), (8, "action", "waves", "2004-11-17T00:01"),
    ]  # fmt: skip
    created = [m["created"] for m in page["messages"]]
    assert created == sorted(created) and len(set(created)) == len(created)


async def _check_search(world: World, settings: Settings) -> None:
    async def names(query: str) -> list[str]:
        answer = await world.call("users.find", {"name": query}, token=_person(settings, "trey"))
        return [user["name"] for user in answer["users"]]

    assert sorted(await names("trey")) == ["trey", "|trey|"]
    assert sorted(await names("bob")) == ["Bob", "Bob[away]", "bob"]
    assert await names("cafe") == ["caf\u00e9"]
    renamed = await world.call("users.get", {"user": user_id(settings.secret, "Bob")}, token=_person(settings, "bob"))
    assert renamed["user"]["data"] == {"now_known_as": "Bob[away]"}
    rooms = await world.call("rooms.find", {"name": "made"}, token=_person(settings, "trey"))
    assert [entry["room"]["id"] for entry in rooms["rooms"]] == ["irc-made"]


async def _check_sync(world: World, settings: Settings, nick: str) -> None:
    """A member's snapshot is the fold of the topics."""
    sync = await world.call("sync.get", {}, token=_person(settings, nick))
    state, vector = await folded(settings)
    user = user_id(settings.secret, nick)
    assert sync["vector"] == vector
    (entry,) = sync["rooms"]
    room, member = state[room_key("irc-made")], state[member_key("irc-made", user)]
    assert isinstance(room, Room) and isinstance(member, Member) and room.last is not None
    last = state[message_key(room.last)]
    assert isinstance(last, Message)
    assert entry["room"] == room_view(room) and entry["member"] == own_member_view(member)
    assert entry["message"] == message_view(last) and entry["unread"] == room.seq - member.read


@pytest.mark.parametrize("number", [SIGKILL, SIGINT])
async def test_an_interrupted_import_goes_on(settings: Settings, tmp_path: Path, number: int) -> None:
    made_up(tmp_path / "logs", days=(1, 2, 3), lines=4000, nicks=50)
    async with serving(settings) as url, visiting(url) as world:
        async with importing(settings, tmp_path / "logs") as process:

            async def begun() -> bool:
                return await count(settings, "select count(*) from messages") > 4000

            await until(begun, "the second file has begun", 60)
            process.send_signal(number)
            await process.wait()
            assert process.returncode == (-SIGKILL if number == SIGKILL else 130)
        halfway = await count(settings, "select count(*) from messages")
        assert 4000 < halfway < 12_000
        said = await imported(settings, tmp_path / "logs")
        assert "messages were there before" in said
        assert await totals(settings) == {
            "users": 51, "handles": 51, "messages": 12_000, "actions": 0, "joined": 51, "left": 0, "members": 51,
            "parked": 0, "roles": 0, "admins": 0, "topics": 0,
        }  # fmt: skip
        ends = await heads(settings)
        await imported(settings, tmp_path / "logs")
        assert await heads(settings) == ends
        await _check_order(world, settings)


async def _check_order(world: World, settings: Settings) -> None:
    """The messages stand in the room as in the files."""
    times: list[str] = []
    while True:
        page = await world.call(
            "messages.read", {"room": "irc-made", "after": len(times), "limit": 100}, token=_person(settings, "n0")
        )
        times += [message["created"] for message in page["messages"]]
        if not page["more"]:
            break
    assert len(times) == 12_000 and times == sorted(times) and len(set(times)) == len(times)


async def test_a_server_that_is_killed_meanwhile(settings: Settings, tmp_path: Path) -> None:
    made_up(tmp_path / "logs", days=(1, 2, 3), lines=4000, nicks=50)
    async with process(settings, ALL, tmp_path / "server.log") as server:
        await server.ready()
        async with importing(settings, tmp_path / "logs") as importer:

            async def begun() -> bool:
                return await count(settings, "select count(*) from messages") > 3000

            await until(begun, "a part is imported", 60)
            await server.end(SIGKILL)
            await server.start()
            output, _ = await importer.communicate()
        assert importer.returncode == 0, output.decode()
        assert (await totals(settings))["messages"] == 12_000
        async with visiting(server.url) as world:
            await _check_order(world, settings)


async def test_a_name_that_a_living_person_has(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "2004-11-15.txt").write_text("=== ada [h]  has joined #made\n[10:00] <ada> hello\n")
    async with serving(settings) as url, visiting(url) as world:
        living = await world.person(username="ada")
        await imported(settings, tmp_path)
        ends = await heads(settings)
        await imported(settings, tmp_path)
        assert await heads(settings) == ends
        found = await living.do("users.find", name="ada")
        names = {user["id"]: user["username"] for user in found["users"]}
        assert names[living.id] == "ada" and names[user_id(settings.secret, "ada")].startswith("ada-")


async def test_what_cannot_be_imported_is_said_in_one_line(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "2004-11-15.txt").write_text("[10:00] <ada> hello\n")

    async def fails(*arguments: str | Path, settings: Settings = settings) -> str:
        async with importing(settings, *arguments) as process:
            output, _ = await process.communicate()
        assert process.returncode == 1
        (line,) = output.decode().splitlines()[-1:]
        return line

    assert "name it: --channel" in await fails(tmp_path)
    (tmp_path / "chat.txt").write_text("[10:00] <ada> hello\n")
    assert "name the file after its day" in await fails(tmp_path / "chat.txt")
    (tmp_path / "chat.txt").unlink()
    assert "KLATSCH_SECRET" in await fails(tmp_path, settings=replace(settings, secret=""))
    async with serving(settings, frozenset({"api", "feed", "project"})) as url:
        stranger = replace(settings, secret="ab" * 32)
        assert "401 expected a token of this installation" in await fails(
            tmp_path, "--channel", "#made", settings=stranger
        )
        await imported(settings, tmp_path, "--channel", "#made", "--url", url)
        assert (await totals(settings))["messages"] == 1
