"""What nodes count: noted once, for applications that are there. Tests ``producers/usage.py``, ``events/usage.py``."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from events.apps import AppCreated
from events.core.derived_ids import DEFAULT_APP
from events.usage import UsageCounted
from producers.usage import CountUsage
from tests.producers.given import Given

HOUR = ("2026-11-22T08:00:00.000Z", "2026-11-22T09:00:00.000Z")
COUNT = CountUsage(app=DEFAULT_APP, metric="peak_connections", since=HOUR[0], until=HOUR[1], value=3, node="n/1")
COUNTED = UsageCounted(metric="peak_connections", since=HOUR[0], until=HOUR[1], value=3, node="n/1")


def test_a_peak_is_noted_once_for_a_node_and_an_hour() -> None:
    given = Given(stream=DEFAULT_APP).when(COUNT, key="n/1:peak").then(COUNTED)
    given.when(COUNT, key="n/1:peak", id="again").then(COUNTED)
    other = replace(COUNT, node="n/2")
    given.when(other, key="n/2:peak", id="other").then(replace(COUNTED, node="n/2"))


def test_only_for_applications_that_are_there() -> None:
    Given(stream="s").when(replace(COUNT, app="s")).refused("not_found")
    made = AppCreated(name="Harbour", key="kk_mzxw6ytboi4dcmrtgq2tmnzyha", secret="v")
    Given(made, stream="s").when(replace(COUNT, app="s")).then(COUNTED)


@pytest.mark.parametrize("until", [HOUR[0], "2026-11-22T07:00:00.000Z"])
def test_a_window_has_a_length(until: str) -> None:
    Given(stream=DEFAULT_APP).when(replace(COUNT, until=until)).refused("invalid")
