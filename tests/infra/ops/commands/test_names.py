"""Commands of operators take ids and names alike; two rooms of one name are told apart by their ids."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import msgspec
import pytest
from click import unstyle as unstyled
from msgspec.structs import replace
from typer.testing import CliRunner

from events.rooms import RoomCreated
from events.users import UserRegistered
from infra.base.postgres import connected
from infra.base.settings import Settings
from infra.ops.cli import app
from infra.ops.commands import asof, diff, people
from infra.ops.commands.errors import CannotDo
from projectors.read_models.projector import ReadModels
from tests.given import Fact
from tests.infra.ops.operating import Heard, history, klatsch
from tests.projectors.scenes import created, joined, posted, registered
from tests.running import running


def _somebody(id: str, username: str) -> Fact:
    """Somebody whose id is not the username."""
    event = UserRegistered(username=username, name=f"{username} H", role="person", credential=f"cred-{id}", data={})
    return Fact(id, event, id)


def _named(fact: Fact, name: str) -> Fact:
    return fact._replace(event=replace(fact.event, name=name))


SCENE = [
    # Two applications have a Zoe.
    _somebody("u-17", "Grace"), _somebody("u-20", "Zoe"), _somebody("u-21", "zoe"),
    _named(created("r-1", "u-17"), "Tea Room"), joined("r-1", "u-17"), posted("r-1", "u-17", 1, "first"),
    _named(created("r-2", "u-17"), "Twin"), _named(created("r-3", "u-17"), "twin"), created("Twin", "u-17"),
    _named(created("r-4", "u-17"), "Double"), _named(created("r-5", "u-17"), "double"),
    _named(created("r-6", "u-17"), "#hash"), _named(created("r-7", "u-17"), "GRACE"),
    _named(created("r-8", "u-17"), "general"), _named(created("r-9", "u-17"), "#general"),
    _named(created("r-10", "u-17"), "Tea, (and scones): now! 🍵"), _named(created("r-11", "u-17"), "Cafe\u0301"),
]  # fmt: skip


async def test_people_and_rooms_by_id_and_by_name(settings: Settings) -> None:
    async with history(settings, *SCENE) as writer, running(ReadModels(settings)):
        await writer.level()
        async with connected(settings) as connection:
            assert [await people.user_id(connection, one) for one in ("u-17", "grace", "GRACE")] == ["u-17"] * 3
            assert [await people.user_id(connection, one) for one in ("nobody", "a\x00b")] == [None, None]
            with pytest.raises(CannotDo, match=r"'ZOE' may be u-20 \(application default\), u-21 .*; use an id"):
                await people.user_id(connection, "ZOE")
            assert await people.user_id(connection, "u-21") == "u-21"
            rooms = ("r-1", "tea room", "#Tea Room")
            assert [await people.room_id(connection, one, "--room") for one in rooms] == ["r-1"] * 3
            # An id goes before the names of others.
            assert await people.room_id(connection, "Twin", "--room") == "Twin"
            with pytest.raises(CannotDo, match=r"'double' may be r-4 \('Double'\), r-5 \('double'\); use an id"):
                await people.room_id(connection, "double", "--room")
            assert [await people.room_id(connection, one, "--room") for one in ("#hash", "##HASH")] == ["r-6"] * 2
            assert await people.room_id(connection, "general", "--room") == "r-8"
            assert await people.room_id(connection, "##general", "--room") == "r-9", "as it is shown"
            assert await people.room_id(connection, "Tea, (and scones): now! 🍵", "--room") == "r-10"
            assert await people.room_id(connection, "café", "--room") == "r-11", "as it was composed in older days"
            with pytest.raises(CannotDo, match="'grace' is the name of the room r-7 and of the user u-17"):
                await people.stream_id(connection, "grace", "--stream")
            assert await people.stream_id(connection, "tea room", "--stream") == "r-1"
            assert await people.stream_id(connection, "username:grace", "--stream") == "username:grace"


async def test_a_label_with_its_sign_never_means_another_room(settings: Settings) -> None:
    """Rooms are shown as ``#general``, which some are called too: whoever copies the label may mean either."""
    meant = r"expected one room, '#general' may be r-8 \('general'\), r-9 \('#general'\); use an id"
    by_id = _named(created("#general", "u-17"), "of this id")
    async with history(settings, *SCENE) as writer, running(ReadModels(settings)):
        await writer.level()
        async with connected(settings) as connection:
            with pytest.raises(CannotDo, match=meant):
                await people.room_id(connection, "#general", "--room")
        for command in (("events", "--stream", "#general"), ("as-of", "0s", "room", "#general"),
                        ("undo", "--by", "grace", "--from", "1h", "--room", "#general"),
                        ("restore", "#general", "--to", "1h"), ("diff", "1h", "0s", "--room", "#general")):  # fmt: skip
            said = await klatsch(settings, *command, expected=1)
            assert "may be r-8 ('general'), r-9 ('#general'); use an id" in said, said
        await writer.events(by_id)
        await writer.level()
        async with connected(settings) as connection:
            assert await people.room_id(connection, "#general", "--room") == "#general", "an id goes before names"


async def test_commands_take_them(settings: Settings) -> None:
    async with history(settings, *SCENE) as writer, running(ReadModels(settings)):
        await writer.level()
        by_name, by_id = Heard(), Heard()
        assert await diff.run(settings, "1h", "0s", user="grace", json=True, say=by_name.append) == 1
        await diff.run(settings, "1h", "0s", user="u-17", json=True, say=by_id.append)
        assert by_name == by_id
        said = Heard()
        await asof.run(settings, "0s", "room", "tea room", json=True, say=said.append)
        assert msgspec.json.decode(said[0])["room"][0]["id"] == "r-1"
        wanted = ("--actor", "grace", "--stream", "Tea Room", "--type", "message.*")
        shown = await klatsch(settings, "events", *wanted, "--json")
        assert [msgspec.json.decode(line)["event"]["subject"] for line in shown.splitlines()] == ["r-1"]


async def test_ids_are_taken_where_no_names_can_be_asked_for(settings: Settings) -> None:
    away = replace(settings, postgres="postgresql://127.0.0.1:1/none")
    with pytest.raises(OSError):
        await asyncpg.connect(away.postgres)
    assert await people.ids(away, actor="u-17", stream="r-1") == ("u-17", "r-1", "")
    assert await people.ids(away, actor="", stream="") == ("", "", "")


async def test_a_name_that_nobody_has_is_said_and_ends_with_an_error(settings: Settings, tmp_path: Path) -> None:
    """An empty list would look as if somebody who is there had done nothing."""
    nobody = "--actor: expected the id or username of a user, got 'nobody'"
    nowhere = "--stream: expected the id or name of a room or a user, got '#nowhere'"
    async with history(settings, *SCENE) as writer, running(ReadModels(settings)):
        await writer.level()
        for more in ((), ("--json",), ("--count",), ("--since", "1h")):
            assert nobody in await klatsch(settings, "events", "--actor", "nobody", *more, expected=1)
        assert nowhere in await klatsch(settings, "events", "--stream", "#nowhere", expected=1)
        file = tmp_path / "all.jsonl"
        assert nobody in await klatsch(settings, "events", "export", file, "--actor", "nobody", expected=1)
        for user in ("nobody", "#nowhere"):
            for option in ("--user", "--room"):
                assert "expected the id or name of a" in await klatsch(
                    settings, "diff", "1h", "0s", option, user, expected=1
                )
        # What waits for events says it, and waits: whoever it is may come.
        waiting = await klatsch(settings, "events", "--follow", "--for", "0.2", "--actor", "nobody")
        assert f"{nobody}; waiting for new events" in waiting
        # Who is there and has done nothing is no error, nor is who is no user, nor what only the log knows.
        for actor in ("grace", "operator"):
            shown = await klatsch(settings, "events", "--actor", actor, "--type", "message.deleted")
            assert "No event matches" in shown
        await writer.events(registered("late"))
        assert "user.registered" in await klatsch(settings, "events", "--actor", "late")


EMPTY = [
    ("events", "--actor", ""), ("events", "--stream", ""), ("events", "--since", ""),
    ("events", "export", "x.jsonl", "--stream", ""),
    ("as-of", "0s", "room", ""), ("as-of", "0s", "user", ""), ("as-of", "0s", "message", ""),
    ("diff", "1h", "0s", "--room", ""), ("diff", "1h", "0s", "--user", ""), ("undo", "--by", "", "--from", "1h"),
    ("undo", "--by", "ada", "--from", "1h", "--room", ""), ("restore", "", "--to", "1h"), ("trace", ""),
    ("trace", "m", "--for", ""), ("parked", "show", ""), ("parked", "retry", ""), ("users", "reset", ""),
]  # fmt: skip


@pytest.mark.parametrize("arguments", EMPTY, ids=" ".join)
def test_an_empty_name_is_refused(arguments: tuple[str, ...]) -> None:
    """``--room "$ROOM"`` with a variable that is not set must not mean all rooms. No installation is asked for it."""
    found = CliRunner().invoke(app, arguments)
    assert found.exit_code == 2 and "expected a text, got an empty one" in unstyled(found.output), found.output


async def test_no_name_is_that_of_a_direct_room(settings: Settings) -> None:
    """A direct room has none, and there are many."""
    direct = RoomCreated(type="direct", visibility="private", name="", data={})
    scene = (registered("ada"), *(Fact(room, direct, "ada") for room in ("d-1", "d-2")))
    async with history(settings, *scene) as writer, running(ReadModels(settings)):
        await writer.level()
        async with connected(settings) as connection:
            for text in ("", "#", "##"):
                assert await people.room_id(connection, text, "ROOM") is None
            assert await people.room_id(connection, "d-2", "ROOM") == "d-2"
            assert await people.user_id(connection, "") is None
        for text in ("#", "no such room"):
            with pytest.raises(CannotDo, match="expected the id or name of a room, got"):
                await asof.run(settings, "0s", "room", text, json=False, say=Heard().append)
