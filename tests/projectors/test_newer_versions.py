"""An event of a newer version than this code's waits with its stream until the code is as new; verify names it.
Tests ``projectors/core/parking.py``, ``projectors/read_models/redrive.py`` and ``projectors/verify/run.py``."""

from __future__ import annotations

import pytest

from events.core.records import Upcaster
from events.registry import REGISTRY
from infra.base.settings import Settings
from projectors.core import metrics
from projectors.read_models.projector import ReadModels
from projectors.read_models.redrive import redrive
from projectors.rebuild.models import MODELS
from projectors.verify.run import verify
from tests.given import Given, given
from tests.projectors.scenes import created, joined, posted, registered
from tests.running import running

SCENE = [
    registered("ada"),
    created("r", "ada"),
    joined("r", "ada"),
    created("s", "ada"),
    joined("s", "ada"),
    posted("r", "ada", 1),
]


async def _write(writer: Given, **texts: str) -> None:
    """A message of a version that calls its text otherwise, as a newer process writes it; then what comes behind it."""
    value = writer.value(posted("r", "ada", 2, "two")).replace(b"message.posted:2", b"message.posted:3")
    assert b'{"text":"two"}' in value
    await writer.raw(writer.shard("rooms", "r"), (b"r", value.replace(b'{"text":"two"}', b'{"says":"two"}')))
    await writer.events(posted("r", "ada", 3), posted("s", "ada", 1))


def _update(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on this code is as new."""
    row = REGISTRY.events["message.posted"]
    lift = Upcaster(2, lambda data: {**data, "content": {"says": data["content"]["text"]}})
    newer = row._replace(version=3, upcasters=(*row.upcasters, lift))
    monkeypatch.setitem(REGISTRY.events, "message.posted", newer)


async def _messages(writer: Given) -> list[tuple[str, int, str]]:
    rows = await writer.connection.fetch("select room, seq, content::text from messages order by room, seq")
    return [(row["room"], row["seq"], row["content"]) for row in rows]


async def test_it_waits_and_is_applied_when_the_code_is_as_new(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    skipped = metrics.SKIPPED.labels("read_models")._value.get()
    async with given(settings, *SCENE) as writer:
        await _write(writer)
        await writer.then({})
        assert [(room, seq) for room, seq, _ in await _messages(writer)] == [("r", 1), ("s", 1)]
        # It is not passed over, as an unknown type is.
        assert metrics.SKIPPED.labels("read_models")._value.get() == skipped
        parked = await writer.connection.fetch('select stream, error from parked order by "offset"')
        assert [row["stream"] for row in parked] == ["r", "r"]
        assert "expected message.posted of version 2 at most, got 3" in parked[0]["error"]
        assert "klatsch parked retry" in parked[0]["error"] and "behind" in parked[1]["error"]
        assert await redrive(writer.connection, settings, "r") == (0, 2)
        found = await verify(settings, MODELS["all"], jobs=1)
        assert not found.log.sound and found.log.tally.unreadable_count == 1
        assert "expected message.posted of version 2 at most, got 3" in found.log.tally.unreadable[0]
        assert found.waiting == ["r"]
        _update(monkeypatch)
        assert await redrive(writer.connection, settings, "r") == (2, 0)
        assert [row[:2] for row in await _messages(writer)] == [("r", 1), ("r", 2), ("r", 3), ("s", 1)]


async def test_tables_made_anew_by_newer_code_have_it(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async with given(settings, *SCENE) as writer:
        await _write(writer)
        _update(monkeypatch)
        async with running(ReadModels(settings)):
            await writer.level()
        assert [row[2] for row in await _messages(writer)][1] == '{"says":"two"}'
        assert (await verify(settings, MODELS["all"], jobs=1)).log.sound
