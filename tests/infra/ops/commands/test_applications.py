"""``klatsch apps``: what it prints, whom it finds by name, and what it says when it cannot. Tests
``infra/ops/commands/applications.py``, ``infra/ops/commands/asking.py`` and ``infra/ops/commands/cli_apps.py``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from events.core.clock import now
from infra.base.settings import Settings
from infra.ops.commands import applications, asking, asof
from infra.ops.commands.errors import CannotDo
from tests.infra.ops.operating import Heard, klatsch
from tests.parts import Parts
from tests.running import until
from tests.servers import installation, serving


@pytest.fixture(scope="module")
async def installed(parts: Parts) -> AsyncIterator[Settings]:
    async with installation(parts) as settings, serving(settings):
        yield settings


async def made(settings: Settings, name: str) -> dict[str, Any]:
    heard = Heard()
    await applications.create(settings, name, json=True, url="", say=heard.append, warn=Heard().append)
    (line,) = heard
    return msgspec.json.decode(line, type=dict[str, Any])


async def listed(settings: Settings) -> dict[str, Any]:
    heard = Heard()
    await applications.listing(settings, json=True, url="", say=heard.append)
    return {app["id"]: app for app in msgspec.json.decode(heard[0])["apps"]}


async def test_one_is_made_listed_rolled_suspended_and_resumed(installed: Settings) -> None:
    one = msgspec.json.decode(await klatsch(installed, "apps", "create", "Harbour", "--json"))
    assert list(one) == ["app", "key", "secret"]
    assert one["key"].startswith("kk_") and one["secret"].startswith("ks_")
    lines = (await klatsch(installed, "apps", "list")).splitlines()
    assert lines[0].split() == ["default", "active", "Default", "no", "key"]
    assert f"{one['app']}  active     Harbour  {one['key']}" in lines
    said = await klatsch(installed, "apps", "roll-key", "Harbour", "--grace", "3600")
    assert "The secret is shown only now" in said and f"{one['key']} is valid until " in said
    assert one["secret"] not in said and said.startswith(f"app:    {one['app']} (Harbour)\nkey:    kk_")
    other = msgspec.json.decode(await klatsch(installed, "apps", "roll-key", "Harbour", "--grace", "1", "--json"))[
        "key"
    ]

    async def ended() -> bool:
        keys = (await klatsch(installed, "apps", "list")).splitlines()
        return any(line.endswith(f" (ended) {other}") for line in keys)

    await until(ended, "the key before is not marked as ended", 20)
    said = await klatsch(installed, "apps", "change", "Harbour", "--session-hours", "24", "--registration")
    assert said == f"Harbour ({one['app']}): anybody may register, log-ins end 24 h after the last use.\n"
    said = await klatsch(installed, "apps", "change", "Harbour", "--session-hours", "0", "--no-registration")
    assert said == f"Harbour ({one['app']}): its server registers, log-ins end with their tokens.\n"
    said = await klatsch(installed, "apps", "suspend", one["app"], "--reason", "Unpaid.")
    assert said == f"Harbour ({one['app']}) is suspended.\n"
    said = await klatsch(installed, "apps", "suspend", "Harbour", "--reason", "Late.")
    assert said == f"Harbour ({one['app']}) was suspended already; the reason stays: Unpaid.\n"
    assert await klatsch(installed, "apps", "suspend", "Harbour") == f"Harbour ({one['app']}) is suspended.\n"
    assert (await listed(installed))[one["app"]]["reason"] == "Unpaid."
    assert await klatsch(installed, "apps", "resume", "Harbour") == f"Harbour ({one['app']}) is active.\n"


async def test_a_name_of_several_is_refused_and_an_id_comes_before_a_name(installed: Settings) -> None:
    first, second = [(await made(installed, "Twin"))["app"] for _ in range(2)]
    with pytest.raises(CannotDo, match="expected one application called 'Twin', found 2: "):
        await applications.resume(installed, "Twin", url="", say=Heard().append)
    named = (await made(installed, first))["app"]
    heard = Heard()
    await applications.suspend(installed, first, reason="", url="", say=heard.append)
    apps = await listed(installed)
    assert [apps[id]["state"] for id in (first, second, named)] == ["suspended", "active", "active"]
    assert heard == [f"Twin ({first}) is suspended."]


async def test_all_are_listed_however_many_the_api_gives_at_once(
    installed: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [(await made(installed, "Page"))["app"] for _ in range(3)]
    whole = await listed(installed)
    monkeypatch.setattr(asking, "_PAGE", 2)
    assert await listed(installed) == whole and {*ids, "default"} <= whole.keys()


def test_a_name_that_others_have_is_warned_of() -> None:
    rows = [
        {"id": f"a-{n}", "name": "Pier", "state": state} for n, state in enumerate(["erased", "active", "suspended"])
    ]
    heard = Heard()
    asking.warn_of_namesakes(rows, {"id": "a-3", "name": "Pier"}, heard.append)
    assert heard == ["'Pier' is the name of a-1, a-2 too: commands that are given it will ask for an id."]
    asking.warn_of_namesakes(rows[:2], rows[1], heard.append)
    asking.warn_of_namesakes(rows, {"id": "a-3", "name": "pier"}, heard.append)
    assert len(heard) == 1, "not of itself, nor of another name"


def test_what_is_erased_has_its_name_as_long_as_nothing_else_has() -> None:
    rows = [{"id": f"a-{n}", "name": "Pier", "state": state} for n, state in enumerate(["erased", "erased", "active"])]
    assert asking.called(rows[:1], "Pier", "an application")["id"] == "a-0"
    assert asking.called(rows, "Pier", "an application")["id"] == "a-2"
    assert asking.called(rows, "a-1", "an application")["id"] == "a-1"
    with pytest.raises(CannotDo, match="expected one application called 'Pier', found 2: a-0, a-1"):
        asking.called(rows[:2], "Pier", "an application")


async def test_tools_that_take_a_stream_know_it_by_its_name(installed: Settings) -> None:
    one = await made(installed, "Quay")
    await applications.roll(installed, "Quay", grace=60, json=True, url="", say=Heard().append)
    lines = (await klatsch(installed, "events", "--stream", "Quay")).splitlines()
    assert len(lines) == 2 and "app.created" in lines[0] and "app.key_rolled" in lines[1]
    shown = msgspec.json.decode(await klatsch(installed, "as-of", now(), "app", one["app"], "--json"))["app"][0]
    by_name = await klatsch(installed, "as-of", now(), "app", "Quay")
    assert "name: Quay" in by_name and one["app"] in by_name
    with pytest.raises(CannotDo, match="expected the id or name of an application, got 'Jetty', of which there is no"):
        await asof.run(installed, now(), "app", "Jetty", json=False, say=Heard().append)
    assert shown["keys"][0]["key"] == one["key"] and len(shown["keys"]) == 2
    assert {*shown["keys"][0]} == {"key", "since", "until"}, "what names a secret is not shown"
    said = await klatsch(installed, "undo", "--by", "operator", "--from", "1h", "--yes")
    assert "an application is suspended or erased: apps.suspend, apps.erase" in said


async def test_one_is_erased_after_its_name_was_typed(installed: Settings) -> None:
    one = (await made(installed, "Pier"))["app"]
    heard, asked = Heard(), list[tuple[str, str]]()
    for typed in (None, "", "pier", "default"):
        with pytest.raises(CannotDo, match=r"expected 'Pier' once more, got .*; nothing was changed"):
            await applications.erase(
                installed, "Pier", reason="", confirmed=lambda *_, typed=typed: typed, json=False, url="",
                say=heard.append,
            )  # fmt: skip
    assert heard == [] and (await listed(installed))[one]["state"] == "active"

    def type_it(name: str, id: str) -> str:
        asked.append((name, id))
        return "Pier"

    await applications.erase(
        installed, one, reason="Done.", confirmed=type_it, json=False, url="", say=heard.append
    )  # fmt: skip
    assert asked == [("Pier", one)]
    assert heard[0].startswith(f"Pier ({one}) was erased at ") and heard[0].endswith(" by operator: Done.")
    assert (
        "  credentials            1" in heard and "  apps                3 events, until the topic is deleted" in heard
    )
    assert any(line.startswith("  feed             not counted, until 20") for line in heard), heard
    # Its name is still its name, and a receipt is read again.
    again = msgspec.json.decode(await klatsch(installed, "apps", "receipt", "Pier", "--json"))
    assert again["cleared"] is not None and again["rows"] == {"credentials": 1}
    assert f"{one}  erased     Pier  no key" in (await klatsch(installed, "apps", "list")).splitlines()
    # Another may be called so, and then has the name.
    await applications.suspend(installed, (await made(installed, "Pier"))["app"], reason="", url="", say=heard.append)
    await applications.resume(installed, "Pier", url="", say=heard.append)
    other = (await made(installed, "Wharf"))["app"]
    said = await klatsch(installed, "apps", "erase", "Wharf", "--yes", "--json")
    assert msgspec.json.decode(said)["app"] == other
    with pytest.raises(CannotDo, match="404 expected an erased application, got default, which is active"):
        await applications.receipt(installed, "default", json=False, url="", say=heard.append)


async def test_what_it_cannot_do(installed: Settings) -> None:
    heard = Heard()
    with pytest.raises(CannotDo, match="expected the id or name of an application, found none called 'nobody'; see '"):
        await applications.resume(installed, "nobody", url="", say=heard.append)
    with pytest.raises(CannotDo, match="403 expected an application that was made; the default one cannot be"):
        await applications.suspend(installed, "default", reason="", url="", say=heard.append)
    with pytest.raises(CannotDo, match="422"):
        await applications.create(installed, "\u200b", json=False, url="", say=heard.append, warn=heard.append)
    with pytest.raises(CannotDo, match="installation's secret"):
        await applications.create(Settings(), "x", json=False, url="", say=heard.append, warn=heard.append)
    with pytest.raises(CannotDo, match=r"expected the API at .* to answer"):
        await applications.create(
            installed, "x", json=False, url="http://127.0.0.1:1", say=heard.append, warn=heard.append
        )
    assert heard == []
