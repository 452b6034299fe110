"""``klatsch events export`` and ``import``: a log moved to another installation, and what is refused.
Tests ``infra/ops/commands/exporting.py`` and ``infra/ops/commands/importing.py``."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from events.core.positions import Shard
from infra.base import kafka, postgres
from infra.base.settings import Settings
from infra.embedded.ports import free_port
from infra.ops.commands import formats
from infra.ops.commands.errors import CannotDo
from infra.ops.commands.exporting import export
from infra.ops.commands.filters import EventFilter, parse_filter
from infra.ops.commands.importing import import_
from infra.ops.commands.log import RawRecord, reading
from projectors.read_models.projector import ReadModels
from tests.client import visiting
from tests.given import Given
from tests.infra.ops.operating import SCENE, history, klatsch
from tests.infra.ops.supervisor.test_up import Up, up  # noqa: F401
from tests.parts import delete_topics
from tests.projectors.scenes import posted
from tests.running import running
from tests.servers import serving

#: What is folded, and how its rows are told apart; ``positions`` holds the terms too.
FOLDED = (
    "users", "sessions", "relationships", "visuals", "handles", "apps", "rooms", "members", "stays", "messages",
    "spans", "revisions", "changes", "positions",
)  # fmt: skip


@asynccontextmanager
async def empty(like: Settings, partitions: int | None = None) -> AsyncIterator[Settings]:
    """Another installation on the same servers, on which nothing has run yet."""
    name = f"t{secrets.token_hex(5)}"
    settings = replace(like, prefix=name, schema=name, partitions=partitions or like.partitions, port=free_port())
    await asyncio.gather(kafka.ensure_topics(settings), postgres.install(settings))
    try:
        yield settings
    finally:
        await delete_topics(settings.kafka, name)
        await postgres.drop(settings)


async def _level(settings: Settings) -> None:
    """Folds the whole log."""
    async with reading(settings) as log:
        _, ends = await log.bounds(EventFilter().shards(settings))
    connection = await postgres.connect(settings)
    try:
        waiting = Given(settings, connection)
        waiting.ends = ends
        async with running(ReadModels(settings)):
            await waiting.level()
        await waiting.stop()
    finally:
        await connection.close()


async def _tables(settings: Settings) -> dict[str, list[str]]:
    connection = await postgres.connect(settings)
    try:
        return {
            table: sorted([str(dict(row)) for row in await connection.fetch(f"select * from {table}")])  # noqa: S608
            for table in FOLDED
        }
    finally:
        await connection.close()


async def _log(settings: Settings) -> dict[Shard, list[RawRecord]]:
    found: dict[Shard, list[RawRecord]] = {}
    async with reading(settings) as log:
        begins, ends = await log.bounds(EventFilter().shards(settings))
        async for batch in log.read(begins, ends):
            for raw in batch:
                found.setdefault(raw.shard, []).append(raw)
    return found


@pytest.mark.parametrize("name", ["log.jsonl", "log.parquet"])
async def test_a_log_that_is_moved_folds_to_equal_rows(settings: Settings, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    async with history(settings, *SCENE) as writer:
        shard = writer.shard("rooms", "stars")
        old = (await writer.log(shard)).term
        await (await writer.log(shard)).open()
        await writer.late(posted("stars", "ada", 3, "void"), old)
        await (await writer.log(shard)).open()
        await writer.events(posted("stars", "ada", 3, "Grüße \U0001f44b \u2028"), posted("stars", "ada", 4, "nul \x00"))
        await writer.raw(writer.shard("rooms", "broken"), (b"broken", b'{"no":\n"envelope"}'), (b"\xff", b"\xff\xfe"))
    await export(settings, file, EventFilter())
    async with empty(settings) as target:
        count = await import_(target, file)
        source, moved = await _log(settings), await _log(target)
        assert moved == source and count == sum(map(len, source.values()))
        assert [raw for raws in moved.values() for raw in raws if not raw.valid]
        await asyncio.gather(_level(settings), _level(target))
        assert await _tables(target) == await _tables(settings)


async def test_an_installation_goes_on_after_the_move(settings: Settings, tmp_path: Path) -> None:
    settings = replace(settings, port=free_port())
    async with serving(settings) as url, visiting(url) as world:
        ada = await world.person("ada")
        room = await ada.group(name="Stars")
        await ada.say(room, "before")
    file = tmp_path / "log.ndjson"
    await klatsch(settings, "events", "export", file)
    async with empty(settings) as target:
        assert "records are at their old offsets" in await klatsch(target, "events", "import", file)
        async with serving(target) as url, visiting(url) as world:
            ada.world = world
            # The same secret, so the token is good there too.
            await ada.say(room, "after")
            page = await ada.do("messages.read", room=room)
            texts = [message["content"].get("text") for message in page["messages"] if message["type"] == "text"]
            assert texts == ["before", "after"]
        refused = await klatsch(target, "events", "import", file, expected=1)
        assert "expected an empty installation" in refused


async def test_an_import_into_a_data_folder_brings_its_stores(
    settings: Settings,
    tmp_path: Path,
    up: Up,  # noqa: F811
) -> None:
    file = tmp_path / "log.jsonl"
    async with history(settings, *SCENE):
        count = await export(settings, file, EventFilter())
    # As many partitions as the file has; all else is embedded.
    environment = {**up.environment, "KLATSCH_PORT": str(up.port), "KLATSCH_PARTITIONS": "2"}

    async def importing() -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "infra.ops.cli", "events", "import", str(file), "--data", str(up.data),
            env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
        return process.returncode, said.decode()

    code, said = await importing()
    assert code == 0 and f"{count:,} records are at their old offsets" in said, said
    code, said = await importing()
    assert code == 1 and "expected an empty installation" in said, said


async def test_a_slice_holds_what_was_asked_for(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "said.jsonl"
    async with history(settings, *SCENE):
        assert await export(settings, file, parse_filter(types=["message.*"], stream="stars")) == 2
        rows = [msgspec.json.decode(line) for line in file.read_bytes().splitlines()]
        assert [row["value"]["data"]["content"]["text"] for row in rows] == ["first", "second"]
        assert {row["key"] for row in rows} == {"stars"} and rows[0]["headers"][0][0] == "term"
        with pytest.raises(CannotDo, match="expected a file that is not there yet"):
            await export(settings, file, EventFilter())
        assert await export(settings, file, parse_filter(since="1h", topics=["users"]), force=True) == 2 + len(
            {raw.shard for raws in (await _log(settings)).values() for raw in raws if raw.shard.topic == "users"}
        )
        assert os.listdir(tmp_path) == [file.name]


async def test_only_a_whole_log_of_the_same_shards_is_imported(settings: Settings, tmp_path: Path) -> None:
    whole, part = tmp_path / "whole.jsonl", tmp_path / "part.jsonl"
    async with history(settings, *SCENE):
        await export(settings, whole, EventFilter())
        await export(settings, part, parse_filter(types=["message.*"]))
    async with empty(settings) as target, empty(settings, 1) as smaller, empty(settings, 3) as larger:
        await _refused(target, part, "expected the whole log, with rooms/")
        await _refused(smaller, whole, "expected a partition of .* from 0 to 0")
        await _refused(larger, whole, "expected stream .* in partition .* set KLATSCH_PARTITIONS")
        (tmp_path / "odd.jsonl").write_bytes(whole.read_bytes()[:-20])
        await _refused(target, tmp_path / "odd.jsonl", "line [0-9]+: expected a record of an export")
        (tmp_path / "none.jsonl").touch()
        await _refused(target, tmp_path / "none.jsonl", "expected records of an export, got none")
        (tmp_path / "log.csv").touch()
        await _refused(target, tmp_path / "log.csv", "expected a file that ends in .jsonl")
        assert not any(await asyncio.gather(_log(target), _log(smaller), _log(larger)))
    await _refused(settings, whole, "expected an empty installation, got [0-9]+ records")


async def _refused(settings: Settings, file: Path, said: str) -> None:
    with pytest.raises(CannotDo, match=said):
        await import_(settings, file)


@pytest.mark.parametrize(
    "value", [b'{"a":1}', b' {"a":1}', b"null", b"", None, b"\xff", b'{"a":\n1}', '"\u2028"'.encode(), b"1e400"]
)
def test_a_row_keeps_every_byte(value: bytes | None) -> None:
    headers: tuple[tuple[str, Any], ...] = (("term", b"0"), ("odd", b"\xff\x00"))
    raw = RawRecord(Shard("rooms", 1), 7, 1234, b"k\xff", value, headers, True)
    line = msgspec.json.encode(formats.row_of(raw))
    assert b"\n" not in line
    assert formats.raw_of(msgspec.json.decode(line, type=formats.FileRow), "here") == raw


async def test_without_pyarrow_it_says_how_to_get_it(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Found before the installed one.
    hiding, target = tmp_path / "hiding", tmp_path / "target"
    hiding.mkdir()
    target.mkdir()
    (hiding / "pyarrow.py").write_text("raise ImportError('not here')")
    monkeypatch.setenv("PYTHONPATH", str(hiding))
    async with history(settings, *SCENE):
        said = await klatsch(settings, "events", "export", target / "log.parquet", expected=1)
        assert "pip install 'pyarrow" in said
        assert os.listdir(target) == []
