"""Commands of operators take ids and names alike; two rooms of one name are told apart by their ids."""

from __future__ import annotations

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace

from events.users import UserRegistered
from infra.operate import asof, diff, people
from infra.operate.errors import CannotDo
from infra.postgres import connected
from infra.settings import Settings
from projectors.read_models import ReadModels
from tests.given import Fact
from tests.infra.operating import Heard, history, klatsch
from tests.projectors.scenes import created, joined, posted
from tests.running import running


def _grace() -> Fact:
    """Somebody whose id is not the username."""
    event = UserRegistered(username="Grace", name="Grace H", role="person", credential="cred-grace", data={})
    return Fact("u-17", event, "u-17")


def _named(fact: Fact, name: str) -> Fact:
    return fact._replace(event=replace(fact.event, name=name))


SCENE = [
    _grace(), _named(created("r-1", "u-17"), "Tea Room"), joined("r-1", "u-17"), posted("r-1", "u-17", 1, "first"),
    _named(created("r-2", "u-17"), "Twin"), _named(created("r-3", "u-17"), "twin"), created("Twin", "u-17"),
    _named(created("r-4", "u-17"), "Double"), _named(created("r-5", "u-17"), "double"),
    _named(created("r-6", "u-17"), "#hash"), _named(created("r-7", "u-17"), "GRACE"),
]  # fmt: skip


async def test_people_and_rooms_by_id_and_by_name(settings: Settings) -> None:
    async with history(settings, *SCENE) as writer, running(ReadModels(settings)):
        await writer.level()
        async with connected(settings) as connection:
            assert [await people.user_id(connection, one) for one in ("u-17", "grace", "GRACE")] == ["u-17"] * 3
            assert [await people.user_id(connection, one) for one in ("nobody", "a\x00b")] == [None, None]
            rooms = ("r-1", "tea room", "#Tea Room")
            assert [await people.room_id(connection, one, "--room") for one in rooms] == ["r-1"] * 3
            # An id goes before the names of others.
            assert await people.room_id(connection, "Twin", "--room") == "Twin"
            with pytest.raises(CannotDo, match="'double' is the name of r-4, r-5; use an id"):
                await people.room_id(connection, "double", "--room")
            assert [await people.room_id(connection, one, "--room") for one in ("#hash", "##HASH")] == ["r-6"] * 2
            with pytest.raises(CannotDo, match="'grace' is the name of the room r-7 and of the user u-17"):
                await people.stream_id(connection, "grace", "--stream")
            assert await people.stream_id(connection, "tea room", "--stream") == "r-1"
            assert await people.stream_id(connection, "username:grace", "--stream") == "username:grace"


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
    assert await people.ids(away, actor="u-17", stream="r-1") == ("u-17", "r-1")
    assert await people.ids(away, actor="", stream="") == ("", "")
