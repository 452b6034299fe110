"""One worker of a process of workers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from projectors.workers.health import Health


class WorkerPart(NamedTuple):
    """A Faust app with what it takes to run it."""

    #: The role that it is.
    role: str
    app: Any
    health: Health
    #: Waits for what it needs, then starts the app.
    start: Callable[[], Awaitable[None]]
    #: Closes what the worker has open, after the app has stopped.
    stop: Callable[[], Awaitable[None]]
