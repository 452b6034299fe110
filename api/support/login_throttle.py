"""Wrong passwords, bounded so that nobody guesses at speed, and nobody keeps the owner out by guessing.

A try is counted before the password is looked at, and given back if it was right. It counts for the name and address
together; and, unless that name has logged in from that address before, for the address over all names and for the name
over all such addresses. So who floods a name, or an address with invented names, does not stop those who are known
there. All of it is this process's own, and forgotten with it: with several processes each bound holds for each.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from math import ceil
from time import monotonic
from types import TracebackType

from api.support.limiter import Limiter
from api.support.problems import Problem
from infra.base.settings import Settings, quota

#: Names with addresses from which they have logged in that are remembered: 20 MB, at most. The oldest go first.
KNOWN = 100_000


class LoginAttempt:
    """A try under way; a context manager. Without ``settle`` it counts only where it was cut off by its client."""

    def __init__(self, throttle: LoginThrottle, reserved: list[tuple[Limiter, str]], pair: str, lane: str) -> None:
        #: Whose turn it takes in the queue of passwords.
        self.lane = lane
        self._throttle = throttle
        self._reserved = reserved
        self._pair = pair

    def __enter__(self) -> LoginAttempt:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # No password was looked at: it waited too long in the queue, or a part was away.
        if isinstance(error, Exception):
            self._give_back()

    def settle(self, right: bool) -> None:
        """Whether the password was right."""
        if right:
            self._give_back()
            self._throttle.note(self._pair)
        self._reserved = []

    def _give_back(self) -> None:
        reserved, self._reserved = self._reserved, []
        for limiter, subject in reserved:
            limiter.give_back(subject, self._throttle.clock())


class LoginThrottle:
    """The bounds of one process."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = monotonic) -> None:
        self.clock = clock
        self._pairs = Limiter(quota(settings.limit_guesses))
        self._addresses = Limiter(quota(settings.limit_guesses_address))
        self._names = Limiter(quota(settings.limit_guesses_name))
        self._known: OrderedDict[str, None] = OrderedDict()

    def log_in(self, address: str, handle: str) -> LoginAttempt:
        """A try to log in by a name or an e-mail address. Raises Problem ``rate_limited``."""
        pair = f"{address} {handle}"
        if pair in self._known:
            # A turn of their own in the queue too, whatever else comes from the address.
            return _begin(self, [(self._pairs, pair, "wrong passwords for one name from one address")], pair, pair)
        bounds = [
            (self._addresses, address, "wrong passwords from one address"),
            (self._names, handle, "wrong passwords for one name from addresses that it has not logged in from"),
            (self._pairs, pair, "wrong passwords for one name from one address"),
        ]
        return _begin(self, bounds, pair, address)

    def proof(self, session: str, handle: str) -> LoginAttempt:
        """A try by somebody who is logged in to show their password: nobody else's tries count against it."""
        pair = f"session/{session} {handle}"
        return _begin(self, [(self._pairs, pair, "wrong passwords for one name from one session")], pair, pair)

    def note(self, pair: str) -> None:
        """The name has logged in from the address."""
        self._known[pair] = None
        self._known.move_to_end(pair)
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)

    def registered(self, address: str, handle: str) -> None:
        """The name was registered from the address."""
        self.note(f"{address} {handle}")


def _begin(throttle: LoginThrottle, bounds: list[tuple[Limiter, str, str]], pair: str, lane: str) -> LoginAttempt:
    """Takes one from each bound, or none from any. Raises Problem ``rate_limited``."""
    now = throttle.clock()
    reserved: list[tuple[Limiter, str]] = []
    for limiter, subject, what in bounds:
        taken = limiter.take(subject, now)
        if taken.wait > 0.0:
            for other, earlier in reserved:
                other.give_back(earlier, now)
            most, seconds = limiter.quota
            raise Problem(
                "rate_limited",
                f"expected at most {most} {what} at once, and as many again in {seconds} s; wait {ceil(taken.wait)} s",
                retry_after=ceil(taken.wait),
            )
        reserved.append((limiter, subject))
    return LoginAttempt(throttle, reserved, pair, lane)
