"""The scenarios, by name and number; one file each: ``NAME``, ``ABOUT``, ``async def run(system, options)``.

``run`` is one repetition with one system, warm-up included: figures with one value each. A module may say ``SYSTEMS``
(the names of those that it can measure; all without it), ``WITHOUT`` (those that it cannot) and ``FLOOR`` (the system
that is its floor). One that says ``ONCE`` prepares at great cost: it runs once, and its figures have a value for each
of ``options.repeat`` repetitions.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

import msgspec

#: In the order in which they run.
NUMBERS = {
    "b1": "latency",
    "b2": "throughput",
    "b3": "fanout",
    "b4": "catchup",
    "b5": "connections",
    "b6": "models",
    "b7": "growth",
    "b8": "start",
}
NAMES = (*NUMBERS.values(), "rebuild", "signals", "search", "relay", "tenants")


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How long and how large."""

    #: As short as can be: whether it works, and ratios to look at.
    quick: bool = False
    #: Repetitions within one ``run`` of a scenario that is ``ONCE``.
    repeat: int = 1
    #: Size of the large data set: messages; None: as many as the scenario sees fit.
    messages: int | None = None
    #: Largest number of members of a room, and of shards, that growth is measured up to.
    members: int | None = None
    shards: int | None = None
    #: A folder of IRC logs that the data set is made of, instead of made-up texts.
    irc: Path | None = None
    #: Connections at once, where a scenario has many; None: as many as it sees fit.
    clients: int | None = None
    #: Tells people what happens now, in a few words.
    say: Callable[[str], None] = lambda _: None


def scenario(name: str) -> ModuleType:
    """The module of a scenario. Raises ModuleNotFoundError for an unknown one."""
    return import_module(f"{__name__}.{NUMBERS.get(name, name)}")
