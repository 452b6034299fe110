"""``./klatsch test --fast``: the tests that need neither Kafka nor Postgres nor a browser, and start no process.

Nobody keeps a list of them. A test that asks for servers, by whatever fixtures, is left out; one that starts a process
by itself is skipped where it does. What is pure and takes seconds is marked so: ``long``. Properties are tried with few
examples. tests/conftest.py has the hooks.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import settings

#: Fixtures that start what takes seconds; whoever needs a server or a browser asks for one of them in the end.
SERVERS = frozenset({"parts", "chromium"})
#: What Python's auditing calls the start of a process.
_STARTS = frozenset({"subprocess.Popen", "os.posix_spawn", "os.fork", "os.forkpty"})
#: Examples of a property; the whole run has a hundred. Rules that need several steps are found by the whole run only.
_EXAMPLES = 5

_running = False


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fast", action="store_true", help="only tests that need no server, no browser and no process")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("fast"):
        settings.register_profile("fast", settings.get_profile("klatsch"), max_examples=_EXAMPLES)
        settings.load_profile("fast")
        sys.addaudithook(_skip_starts)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, Any, Any]:
    """Tells tests from what pytest itself starts, such as its own processes."""
    global _running
    _running = True
    try:
        return (yield)
    finally:
        _running = False


def _skip_starts(event: str, _: tuple[Any, ...]) -> None:
    if _running and event in _STARTS:
        pytest.skip("it starts a process")


def leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Takes tests that need servers or take long out of ``items``, where the run is to be fast."""
    if config.getoption("fast"):
        config.hook.pytest_deselected(items=[item for item in items if not _is_fast(item)])
        items[:] = filter(_is_fast, items)


def _is_fast(item: pytest.Item) -> bool:
    """``fixturenames``: all that a test asks for, by itself or by another fixture."""
    return not SERVERS & set(getattr(item, "fixturenames", ())) and item.get_closest_marker("long") is None
