"""The rebuild's reader on real Kafka: every valid event once, in order; what the log does not have is an error."""

from __future__ import annotations

import pytest

from infra.base.settings import Settings
from projectors.core.source import LogMismatch, ResumeAt
from projectors.rebuild import reading
from projectors.rebuild.reading import ShardReader
from tests.given import given
from tests.projectors.scenes import created, joined, posted


@pytest.mark.parametrize("many", [1, 2000])
async def test_it_goes_on_where_it_was(settings: Settings, monkeypatch: pytest.MonkeyPatch, many: int) -> None:
    monkeypatch.setattr(reading, "BATCH", many)
    monkeypatch.setattr(reading, "TAKE", many)
    facts = [created("r", "ada"), joined("r", "ada"), *(posted("r", "ada", seq) for seq in range(1, 20))]
    async with given(settings, *facts) as writer:
        shard, reader = writer.shard("rooms", "r"), ShardReader(settings)
        await reader.start()
        try:
            end = (await reader.ends([shard]))[shard]
            place, offsets = ResumeAt(), []
            # What one read leaves unread, the next one begins with; and a place of before is read again.
            for upto in (5, 5, end, end):
                async for batch in reader.read(shard, place, upto):
                    offsets += [entry.offset for entry in batch.entries]
                    place = batch.places[shard]
                assert place.offset == upto
            assert offsets == sorted(set(offsets))
            assert len(offsets) == len(facts) == reader.tally.events
            again = [entry.offset async for batch in reader.read(shard, ResumeAt(), end) for entry in batch.entries]
            assert again == offsets
        finally:
            await reader.stop()


async def test_what_the_log_does_not_have_is_refused(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "READ_SECONDS", 0.5)
    async with given(settings, created("r", "ada")) as writer:
        shard, reader = writer.shard("rooms", "r"), ShardReader(settings)
        await reader.start()
        try:
            end = (await reader.ends([shard]))[shard]
            with pytest.raises(LogMismatch, match="expected offset 1000 in the log, found none"):
                async for _ in reader.read(shard, ResumeAt(1000, 0), 2000):
                    pass
            with pytest.raises(LogMismatch, match=f"expected records {end} to {end + 5}, got none for"):
                async for _ in reader.read(shard, ResumeAt(end, 0), end + 5):
                    pass
        finally:
            await reader.stop()
