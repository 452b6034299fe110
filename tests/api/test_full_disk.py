"""A full disk: what would be stored is refused before it is written, reads go on, and room is enough to go on.
Tests ``producers/engine/storage.py`` and ``infra/base/disk_watch.py``."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka.errors import KafkaStorageError

from api.support import problems
from infra.base import postgres
from infra.base.disk import ENOUGH, Disk
from infra.base.disk_watch import DiskWatch
from infra.base.settings import Settings
from infra.embedded.ports import free_port
from producers.commands import Unavailable
from producers.engine import storage
from tests.api.conftest import minted
from tests.client import Person, Refusal, World, visiting
from tests.parts import Parts
from tests.producers.given import order, say
from tests.running import until
from tests.servers import installation, serving

MIB = 1 << 20


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Of a file system on which little else happens, where there is one."""
    quiet = Path("/dev/shm")
    found = quiet / f"klatsch-{os.getpid()}" if os.access(quiet, os.W_OK) else tmp_path / "disk"
    found.mkdir()
    yield found
    shutil.rmtree(found)


@pytest.fixture
async def small(parts: Parts, folder: Path) -> AsyncIterator[tuple[World, Settings]]:
    """An installation whose disk is full once 24 MiB more are written to it."""
    free = shutil.disk_usage(folder).free
    async with installation(parts) as found:
        settings = msgspec.structs.replace(found, disks=str(folder), disk_floor=free - ENOUGH - 24 * MIB)
        async with serving(settings) as url, visiting(url) as world:
            yield world, settings


def fill(folder: Path) -> Path:
    """Writes 64 MiB."""
    path = folder / "filled"
    with path.open("wb") as file:
        for _ in range(64):
            file.write(bytes(MIB))
    return path


async def test_what_would_be_stored_is_refused_until_there_is_room(small: tuple[World, Settings], folder: Path) -> None:
    world, settings = small
    ada = await world.person("ada")
    room = await ada.group()
    await ada.say(room, "before")
    path = fill(folder)

    async def refused() -> Refusal | None:
        try:
            await ada.say(room, "while there is room")
        except Refusal as refusal:
            return refusal
        return None

    refusal = await until(refused, "a message is refused")
    assert (refusal.code, refusal.status, refusal.problem["retry_after"]) == ("insufficient_storage", 507, 10.0)
    assert "nothing was changed" in refusal.problem["detail"] and str(folder) not in refusal.problem["detail"]
    with pytest.raises(Refusal, match="insufficient_storage"):
        await world.person("bob")
    with pytest.raises(Refusal, match="insufficient_storage"):
        await Person(world, {"user": {"id": ada.id, "username": ""}, "token": ada.token}, "rpc").say(room, "by RPC")
    read = await ada.do("messages.read", room=room, after=0, limit=1)
    assert "before" in [message["content"].get("text") for message in read["messages"]]
    seen = (await world.request("GET", "/metrics")).body.decode()
    assert f'klatsch_disk_free_bytes{{folder="{folder}"}}' in seen
    found = await world.call("console.figures", {}, token=minted(settings))
    assert [(disk["folder"], disk["state"]) for disk in found["disks"]] == [(str(folder), "full")]
    path.unlink()

    async def taken() -> bool:
        return await refused() is None

    await until(taken, "messages are taken again")


async def full(ada: Person, room: str, folder: Path) -> None:
    """Fills the disk, and waits until it is refused what would be stored."""
    fill(folder)

    async def refused() -> bool:
        try:
            await ada.say(room, "while there is room")
        except Refusal as refusal:
            return refusal.code == "insufficient_storage"
        return False

    await until(refused, "a message is refused")


async def test_nobody_is_locked_in_or_out_by_a_full_disk(small: tuple[World, Settings], folder: Path) -> None:
    world, settings = small
    ada, bob = await world.person("ada", password="correct horse"), await world.person("bob")
    lost = await world.log_in(ada, "correct horse")
    await full(ada, await ada.group(), folder)
    assert (await ada.do("sessions.renew"))["token"]
    sessions = (await ada.do("sessions.list"))["sessions"]
    (elsewhere,) = [one["id"] for one in sessions if not one["current"]]
    await ada.do("sessions.close", session=elsewhere)
    assert await lost.refused("users.me") == "token_revoked"
    again = await world.log_in(ada, "correct horse")
    await again.do("sessions.close", session="current")
    await ada.do("users.change_password", current="correct horse", password="another horse")
    assert await world.enters(ada, "another horse") and not await world.enters(ada, "correct horse")
    fields = {"username": ada.username, "password": "a third horse"}
    await world.call("users.reset_password", fields, token=minted(settings))
    ada = await world.log_in(ada, "a third horse")
    await ada.do("relationships.set", user=bob.id, type="block")
    # To take it back, or to befriend, can wait.
    assert await ada.refused("relationships.remove", user=bob.id) == "insufficient_storage"
    assert await ada.refused("users.change", name="Ada L.") == "insufficient_storage"


async def test_what_has_happened_is_answered_on_a_full_disk(small: tuple[World, Settings], folder: Path) -> None:
    world, _ = small
    ada = await world.person("ada")
    room, said = await ada.group(), await ada.do("users.change", key="renamed", name="Ada L.")
    sent: dict[str, Any] = {
        "room": await ada.group(),
        "client_id": "one",
        "type": "text",
        "content": {"text": "before"},
    }
    first = await ada.do("messages.send", **sent)
    await full(ada, room, folder)
    assert await ada.do("messages.send", **sent) == first and world.repeated
    assert await ada.do("users.change", key="renamed", name="Ada L.") == said and world.repeated
    assert await ada.refused("messages.send", **{**sent, "client_id": "two"}) == "insufficient_storage"


@pytest.mark.parametrize(
    ("free", "vital", "open", "decided"),
    [
        (64 * MIB, False, True, "as ever"),
        (63 * MIB, True, True, "as ever"),
        (63 * MIB, False, True, "unless it writes"),
        (63 * MIB, False, False, "refused"),
        (16 * MIB, True, True, "as ever"),
        (16 * MIB - 1, True, True, "refused"),
        (16 * MIB - 1, False, True, "refused"),
    ],
)
def test_a_quarter_of_the_floor_is_for_nothing_new(free: int, vital: bool, open: bool, decided: str) -> None:
    watch = DiskWatch(Settings(disk_floor=64 * MIB))
    watch.judge([_disk(free)])
    asked = order(say("one"))
    if decided == "refused":
        with pytest.raises(Unavailable, match="nothing was changed"):
            storage.within(asked, watch, vital=vital, open=open)
        return
    found = storage.within(asked, watch, vital=vital, open=open)
    assert (found.no_room is None) is (decided == "as ever")


@asynccontextmanager
async def refusing(settings: Settings, table: str) -> AsyncIterator[None]:
    """Postgres says of each row that is to be stored in a table that its disk is full, for the length of the block."""
    connection = await postgres.connect(settings)
    try:
        await connection.execute(
            "create function no_room() returns trigger language plpgsql as $$ begin raise exception "
            "'could not extend file: No space left on device' using errcode = '53100'; end $$"
        )
        await connection.execute(f"create trigger full_disk before insert on {table} execute function no_room()")
        yield
    finally:
        await connection.execute("drop function if exists no_room cascade")
        await connection.close()


async def test_a_postgres_of_others_that_is_full_is_told_of_alike(world: World, installed: Settings) -> None:
    async with refusing(installed, "credentials"):
        with pytest.raises(Refusal) as caught:
            await world.person("ada", password="correct horse")
    assert (caught.value.code, caught.value.status) == ("insufficient_storage", 507)
    assert "disk of Postgres" in caught.value.problem["detail"]
    await world.person("ada", password="correct horse")


def _disk(free: int) -> Disk:
    return Disk(folder="/srv", total=1000 * MIB, free=free, floor=64 * MIB)


@pytest.mark.parametrize(
    ("looks", "full"),
    [
        ([64 * MIB], False),
        ([64 * MIB - 1], True),
        # What was just tidied up is not room to go on with.
        ([63 * MIB, 64 * MIB + ENOUGH - 1], True),
        ([63 * MIB, 64 * MIB + ENOUGH], False),
    ],
)
def test_room_is_had_again_a_little_above_the_floor(looks: list[int], full: bool) -> None:
    watch = DiskWatch(Settings(disk_floor=64 * MIB))
    for free in looks:
        watch.judge([_disk(free)])
    assert (watch.full is not None) is full


def test_without_folders_there_is_always_room() -> None:
    watch: Any = DiskWatch(Settings(port=free_port()))
    watch.judge([])
    assert watch.full is None


def test_a_kafka_of_others_that_cannot_store_is_told_of_alike() -> None:
    problem = problems.of(KafkaStorageError())
    assert (problem.code, problem.retry_after) == ("insufficient_storage", 10.0) and "disk of Kafka" in problem.detail
