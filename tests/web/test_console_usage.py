"""The console's pages of usage in Chromium: all applications, one by its days, in both colours, and files.
Tests ``api/web/console/usage.js`` and ``api/web/console/bars.js``."""

from __future__ import annotations

import csv
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import msgspec
from playwright.async_api import Page, expect

from infra.base import postgres
from infra.base.settings import Settings
from infra.ops import operator_token
from projectors.usage.counting import METRICS
from tests.client import World
from tests.web.conftest import Open
from tests.web.node import passes
from tests.web.windows import Window

NAME = """<b>Harbour</b> & "Sons\""""


async def _used(settings: Settings, app: str, year: int, month: int, days: int, scale: int) -> dict[str, int]:
    """Some days of usage, as the worker would have stored them; the totals."""
    random, totals = Random(scale), dict.fromkeys(METRICS, 0)
    async with postgres.connected(settings) as connection:
        for day in range(1, days + 1):
            start = f"{year}-{month:02}-{day:02}T00:00:00.000Z"
            weekend = datetime(year, month, day, tzinfo=UTC).weekday() > 4
            base = scale * (30 if weekend else 100) * (90 + random.randrange(40)) // 100
            values = {
                "messages": base, "active_users": base // 40 + 3, "new_users": random.randrange(6), "bytes": 47 * base,
                "rooms": random.randrange(9), "events": 3 * base, "peak_connections": base // 25 + 2,
            }  # fmt: skip
            await connection.executemany(
                "insert into usage_metrics (app, length, start, metric, value) values ($1, 'day', $2, $3, $4)",
                [(app, start, name, value) for name, value in values.items()],
            )
            # Twenty come every day.
            await connection.executemany(
                "insert into usage_actors (app, length, start, \"user\") values ($1, 'day', $2, $3)",
                [(app, start, f"u{one if one < 20 else 1000 * day + one}") for one in range(values["active_users"])],
            )
            for name, value in values.items():
                totals[name] = max(totals[name], value) if name == "peak_connections" else totals[name] + value
    return totals


async def _opened(windows: Open, settings: Settings, **context: object) -> Window:
    window = await windows(operator_token.console_link(settings), viewport={"width": 1500, "height": 1000}, **context)
    await expect(window.page.locator(".state")).to_have_text(re.compile("All is well|problem"))
    return window


async def _shot(page: Page, name: str) -> None:
    """A picture for whoever wants to look, in the folder of KLATSCH_SHOTS."""
    if folder := os.environ.get("KLATSCH_SHOTS"):
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_bytes_are_told_with_their_unit_however_few() -> None:
    passes("scale.mjs")


async def test_all_applications_and_one_by_its_days(
    windows: Open, world: World, installed: Settings, tmp_path: Path
) -> None:
    token = operator_token.token(installed)
    app = (await world.call("apps.create", {"name": NAME}, token=token))["app"]["id"]
    totals = await _used(installed, app, 2026, 10, 31, 40)
    await _used(installed, "default", 2026, 10, 12, 9)
    window = await _opened(windows, installed)
    page = window.page
    await page.get_by_role("link", name="Usage").click()
    await expect(page.get_by_role("heading", name="Usage of all applications")).to_be_visible()
    await page.evaluate("location.hash = '#usage//2026-10'")
    rows = page.get_by_role("region", name="Applications").locator("tbody tr")
    # The one with most messages first; what a name holds is text.
    await expect(rows).to_have_count(2)
    await expect(rows.nth(0).get_by_role("link")).to_have_text(NAME)
    await expect(rows.nth(1).get_by_role("link")).to_have_text("Default")
    await _shot(page, "usage-list")
    await rows.nth(0).get_by_role("link").click()
    await expect(page.get_by_role("heading", name=NAME)).to_be_visible()
    assert page.url.endswith(f"#usage/{app}/2026-10")
    messages = page.get_by_role("region", name="Messages")
    await expect(messages.locator("rect.bar")).to_have_count(31)
    described = messages.get_by_role("img", name=re.compile("^Messages "))
    await expect(described).to_have_count(1)
    await expect(messages.locator("desc")).to_have_text(re.compile("posted; most: .* October. The table has all"))
    days = page.get_by_role("region", name="Days")
    await expect(days.locator("tbody tr")).to_have_count(31)
    await expect(days.locator("tfoot td").first).to_have_text(f"{totals['messages']:,}")
    # The point of a day tells its value.
    await messages.locator("rect.column").nth(4).hover()
    await expect(messages.locator(".pointed")).to_have_text(re.compile("^5 October: [0-9,.K]+$"))
    await _shot(page, "usage-app")

    async with page.expect_download() as started:
        await page.get_by_role("button", name="Download CSV").click()
    table = await started.value
    assert table.suggested_filename == f"usage-{app}-2026-10.csv"
    await table.save_as(tmp_path / "usage.csv")
    with (tmp_path / "usage.csv").open(encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert list(found[0]) == ["app", "window", "start", *METRICS]
    assert len(found) == 31 and sum(int(one["messages"]) for one in found) == totals["messages"]
    async with page.expect_download() as started:
        await page.get_by_role("button", name="Download JSON").click()
    await (await started.value).save_as(tmp_path / "usage.json")
    objects = [msgspec.json.decode(line) for line in (tmp_path / "usage.json").read_text("utf-8").splitlines()]
    assert [{name: str(value) for name, value in one.items()} for one in objects] == found

    await page.get_by_role("link", name="Before: September 2026").click()
    await expect(messages.locator("rect.bar")).to_have_count(0)
    await expect(messages.locator("desc")).to_have_text(re.compile("nothing yet"))
    await page.go_back()
    await expect(messages.locator("rect.bar")).to_have_count(31)
    await page.get_by_role("link", name="The wall").click()
    await expect(page.locator(".state")).to_have_text(re.compile("All is well|problem"))


async def test_the_page_is_dark_and_narrow_where_people_want_it(
    windows: Open, world: World, installed: Settings
) -> None:
    token = operator_token.token(installed)
    app = (await world.call("apps.create", {"name": "Night shift"}, token=token))["app"]["id"]
    await _used(installed, app, 2026, 10, 20, 3)
    window = await _opened(windows, installed, color_scheme="dark")
    page = window.page
    await page.evaluate(f"location.hash = '#usage/{app}/2026-10'")
    await expect(page.get_by_role("region", name="Messages").locator("rect.bar")).to_have_count(20)
    await _shot(page, "usage-dark")
    await page.set_viewport_size({"width": 420, "height": 900})
    await expect(page.get_by_role("region", name="Days")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than the page"
    await _shot(page, "usage-narrow")
    window.expected += ["404"]
    await page.evaluate("location.hash = '#usage/nothing/2026-10'")
    await expect(page.get_by_role("status")).to_contain_text("expected an application, found none with id nothing")
