"""The limits of an application's plan, where a call meets them: checked before the command, on the read models.

How exact each is: docs/decisions/0077-plans-and-their-limits.md. Operators meet none. What a check finds is given to
``Call.submit`` as ``unless``: a key that was used gives its first result all the same.
"""

from __future__ import annotations

from types import TracebackType

from api.core.calls import Call
from api.support.app_counts import AppCount, Counted
from events.plans import NO_LIMITS, PlanLimits
from producers.commands import Outcome, Refused
from producers.plan_limits import FullLimit, beyond, reached


class Taking:
    """Room for what a call is about to make: held until the end of the block, and kept where it was made."""

    __slots__ = ("_call", "_count", "_done", "_units", "full", "problem")

    def __init__(
        self, call: Call, count: AppCount | None = None, units: int = 0, problem: Refused | None = None,
        full: FullLimit | None = None,
    ) -> None:  # fmt: skip
        self._call, self._count, self._units, self._done = call, count, units, False
        #: Why there is none; None: there is.
        self.problem = problem
        #: The same, for a command that decides by itself whether it makes something.
        self.full = full

    def made(self, outcome: Outcome, *, new: bool = True) -> None:
        """The command came to this; ``new``: whether it made what was to be made."""
        self._done = new and not outcome.repeated

    def __enter__(self) -> Taking:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._count is None:
            return
        self._count.held -= self._units
        if self._done:
            self._count.add(self._units, self._call.position)


async def limits_for(call: Call) -> PlanLimits:
    """What holds for the caller."""
    if call.identity is not None and call.identity.role == "operator":
        return NO_LIMITS
    return (await call.services.plans.of(call.app)).limits


async def take(call: Call, name: Counted, units: int = 1) -> Taking:
    """Room for ``units`` more of what the caller's application is counted for, if there is."""
    limits = await limits_for(call)
    most = None if limits is NO_LIMITS else getattr(limits, name)
    if most is None:
        return Taking(call)
    counts = call.services.app_counts
    count, room = await counts.take(call.app, name, most, units)
    if room:
        return Taking(call, count, units)
    reset = counts.day()[1] if name == "messages_day" else None
    return Taking(call, problem=reached(name, most, count.used, reset), full=FullLimit(most=most, used=count.used))


async def too_long(call: Call, text: object) -> Refused | None:
    """Why the text of a message is too long for the plan; exact."""
    most = (await limits_for(call)).message_chars
    if most is None or not isinstance(text, str) or len(text) <= most:
        return None
    return beyond("message_chars", most, len(text))
