"""``klatsch usage``: what it prints and exports. Tests ``infra/ops/commands/usage.py`` and
``infra/ops/commands/cli_usage.py``."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator

import msgspec
import pytest
from msgspec.structs import replace

from events.messages import MessagePosted
from infra.base.settings import Settings
from infra.embedded.ports import free_port
from infra.ops.commands import applications, usage
from infra.ops.commands.errors import CannotDo
from projectors.usage.counting import METRICS
from tests.given import Fact, given
from tests.infra.ops.operating import Heard
from tests.projectors.scenes import created, registered
from tests.servers import serving


@pytest.fixture
async def url(settings: Settings) -> AsyncIterator[str]:
    own = replace(settings, port=free_port())
    async with serving(own) as found:
        yield found


def posted(seq: int, time: str) -> Fact:
    event = MessagePosted(message=f"m{seq}", seq=seq, token=f"t{seq}", type="text", content={"text": "hi"}, data={})
    return Fact("r", event, "ada", time=time)


FACTS = [
    registered("ada")._replace(time="2025-03-01T10:00:00.000Z"),
    created("r", "ada")._replace(time="2025-03-01T10:30:00.000Z"),
    posted(1, "2025-03-01T11:00:00.000Z"), posted(2, "2026-03-02T23:59:59.999Z"),
]  # fmt: skip


async def test_usage_is_counted_shown_and_exported(settings: Settings, url: str) -> None:
    heard: list[str] = []
    async with given(settings, *FACTS):
        await usage.rebuild(settings, say=heard.append)
        assert heard == ["4 records counted anew; the tables of usage are those of the log."]
        heard.clear()
        until = "2025-03-02"
        await usage.show(settings, "default", since="2025-03-01", until=until, window="hour", url=url, say=heard.append)
        assert heard[0].split() == ["start", "(UTC)", *METRICS]
        assert [line.split() for line in heard[1:]] == [
            ["2025-03-01", "10:00", "0", "1", "1", "1", "0", "2", "0"],
            ["2025-03-01", "11:00", "1", "1", "0", "0", "13", "1", "0"],
            ["total", "1", "1", "1", "1", "13", "3", "0"],
        ]
        heard.clear()
        out = io.StringIO()
        # More than one answer gives.
        await usage.export(
            settings, "default", since="2025-03-01", until="2026-03-03", window="day", form="csv", url=url, out=out,
            say=heard.append,
        )  # fmt: skip
        assert out.getvalue().splitlines()[0] == (
            "app,window,start,messages,active_users,new_users,rooms,bytes,events,peak_connections"
        )
        rows = list(csv.DictReader(io.StringIO(out.getvalue())))
        assert [(one["start"], one["messages"]) for one in rows] == [
            ("2025-03-01T00:00:00.000Z", "1"), ("2026-03-02T00:00:00.000Z", "1"),
        ]  # fmt: skip
        assert heard[-1] == "2 windows up to 2026-03-03T00:00:00.000Z" and len(heard) == 2
        lines = io.StringIO()
        await usage.export(
            settings, "default", since="2025-03-01", until="2026-03-03", window="day", form="json", url=url, out=lines,
            say=heard.append,
        )  # fmt: skip
        objects = [msgspec.json.decode(line) for line in lines.getvalue().splitlines()]
        assert [{name: str(value) for name, value in one.items()} for one in objects] == rows


async def test_a_time_is_written_as_for_other_commands(settings: Settings, url: str) -> None:
    bounds = ("2026-11-21", "2026-11-22"), ("2026-11-21t00:00:00z", "2026-11-21T23:00:00.000-01:00"), ("2d", "0s")
    found = []
    for since, until in bounds:
        out = io.StringIO()
        heard: list[str] = []
        await usage.export(
            settings, "default", since=since, until=until, window="day", form="csv", url=url, out=out, say=heard.append
        )
        found.append(heard[-1])
    assert found[0] == found[1] == "0 windows up to 2026-11-22T00:00:00.000Z" != found[2]


async def test_what_is_erased_is_said_to_be(settings: Settings, url: str) -> None:
    heard, said, out = Heard(), Heard(), io.StringIO()
    await applications.create(settings, "Pier", json=True, url=url, say=heard.append, warn=said.append)
    await applications.erase(
        settings, "Pier", reason="", confirmed=lambda name, id: id, json=True, url=url, say=heard.append
    )
    id, erased = (msgspec.json.decode(heard[-1])[field] for field in ("app", "erased"))
    await usage.show(settings, "Pier", since="2d", until="", window="day", url=url, say=said.append)
    await usage.export(
        settings, "Pier", since="2d", until="", window="day", form="csv", url=url, out=out, say=said.append
    )
    assert said == [f"Pier ({id}) was erased at {erased}, and its usage with it."] * 2
    assert len(out.getvalue().splitlines()) == 1, "the columns alone, so that a program reads no rows"


async def test_what_is_no_day_or_application_is_refused(settings: Settings, url: str) -> None:
    async def show(app: str = "default", since: str = "", until: str = "") -> None:
        await usage.show(settings, app, since=since, until=until, window="day", url=url, say=print)

    with pytest.raises(CannotDo, match=r"--from: expected a time such as .*, 2026-11-21 \(UTC\) or 15m .*, got 'May'"):
        await show(since="May")
    with pytest.raises(CannotDo, match="expected --from before --until"):
        await show(since="2026-11-02", until="2026-11-01")
    with pytest.raises(CannotDo, match="found none called 'nothing'"):
        await show("nothing")
