"""The limits of calls: who is counted, against what, and how an answer says so. Counted once, where the client calls.

Header fields: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/10/.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from time import monotonic
from typing import Literal, NamedTuple, get_args

from api.core.tokens import Identity
from api.support.limiter import Limiter, Taken
from api.support.problems import Problem
from infra.base.settings import Settings, quota

#: What calls are counted against: each is a setting, ``KLATSCH_LIMIT_<NAME>``.
LimitName = Literal["send", "write", "create", "relate", "read", "heavy", "connect", "register", "log_in"]


class NamedLimit(NamedTuple):
    """One limit with what is said of it."""

    name: LimitName
    limiter: Limiter
    #: ``RateLimit-Policy``, the same in every answer.
    policy: tuple[bytes, bytes]
    #: ``RateLimit``, up to the numbers.
    start: bytes


class Allowance(NamedTuple):
    """What a call was counted against, and what is left of it."""

    named: NamedLimit
    #: Whose quota it is: ``account`` or ``address``.
    whose: str
    taken: Taken

    def check(self) -> None:
        """Raises Problem ``rate_limited`` when nothing was left."""
        if self.taken.wait <= 0.0:
            return
        most, seconds = self.named.limiter.quota
        name, wait = self.named.name, ceil(self.taken.wait)
        raise Problem(
            "rate_limited",
            f"expected at most {most} calls of the kind `{name}` from one {self.whose} at once, and as many again in "
            f"{seconds} s, got more; wait {wait} s (operators: KLATSCH_LIMIT_{name.upper()})",
            retry_after=wait, limit=name,
        )  # fmt: skip

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], tuple[bytes, bytes]]:
        """``RateLimit-Policy`` and ``RateLimit`` as ASGI has them."""
        left = b"%s;r=%d;t=%d" % (self.named.start, self.taken.left, ceil(self.taken.reset))
        return self.named.policy, (b"ratelimit", left)


class Limits:
    """All limits of one process: with several, each counts by itself."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = monotonic) -> None:
        self._on = settings.limits
        self._clock = clock
        self._named = {name: _named(name, settings) for name in get_args(LimitName)}

    def count(self, name: LimitName, identity: Identity | None, address: str) -> Allowance | None:
        """Counts one of these by the account, or without one by the address; None for callers without a limit:
        operators, whose tokens an installation makes for itself."""
        if not self._on:
            return None
        named, now = self._named[name], self._clock()
        if identity is None:
            return Allowance(named, "address", named.limiter.take(address, now))
        if identity.role == "operator":
            return None
        # An account's id and an address are never the same text: an address has dots or colons.
        return Allowance(named, "account", named.limiter.take(identity.user or identity.app, now))


def _named(name: LimitName, settings: Settings) -> NamedLimit:
    found = quota(getattr(settings, f"limit_{name}"))
    start = f'"{name}"'.encode()
    return NamedLimit(name, Limiter(found), (b"ratelimit-policy", b"%s;q=%d;w=%d" % (start, *found)), start)
