"""The root of the exceptions that are our own, and what a client is told of one. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from events.core.faults import Fault


class KlatschError(Exception):
    """Whatever our code raises and its callers know by name.

    A class, or an instance, that may reach a client names its type of problem (``api/support/problems.py``); then its
    text is shown, and says expected and actual. The others are faults of ours to clients: their text is for the log.
    """

    #: Type of the problem that it is to a client.
    code: str = "internal"
    #: The places of the request of which it is the fault.
    errors: Sequence[Fault] = ()
    #: Seconds after which it is worth trying again.
    retry_after: float | None = None
