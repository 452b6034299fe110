"""The limits of calls: who is counted, against what, and how an answer says so. Counted once, where the client calls.

Header fields: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/10/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil
from time import monotonic
from typing import Literal, NamedTuple, get_args

from api.core.tokens import Identity
from api.support.limiter import Limiter, Taken
from api.support.problems import Problem
from infra.base.settings import Quota, Settings, quota

#: What calls are counted against: each is a setting, ``KLATSCH_LIMIT_<NAME>``.
LimitName = Literal["send", "write", "create", "relate", "read", "heavy", "connect", "register", "log_in"]

#: Seconds of the quota of a plan.
PLAN_SECONDS = 60
#: Different quotas of plans that are kept.
PLANS = 1000


class NamedLimit(NamedTuple):
    """One limit with what is said of it."""

    #: One of the above; or ``app``: all calls of an application.
    name: LimitName | Literal["app"]
    limiter: Limiter
    #: ``RateLimit-Policy``, its value, the same in every answer.
    policy: bytes
    #: ``RateLimit``, up to the numbers.
    start: bytes


class Part(NamedTuple):
    """One quota that a call was counted against, and what is left of it."""

    named: NamedLimit
    #: Whose quota it is: ``account``, ``address`` or ``application``.
    whose: str
    taken: Taken
    quota: Quota
    #: ``RateLimit-Policy``, its value.
    policy: bytes

    def check(self) -> None:
        """Raises Problem ``rate_limited`` when nothing was left."""
        if self.taken.wait <= 0.0:
            return
        most, seconds = self.quota
        name, wait = self.named.name, ceil(self.taken.wait)
        what = "calls" if name == "app" else f"calls of the kind `{name}`"
        by = f"operators: KLATSCH_LIMIT_{name.upper()}" if self.quota is self.named.limiter.quota else "by its plan"
        raise Problem(
            "rate_limited",
            f"expected at most {most} {what} from one {self.whose} at once, and as many again in {seconds} s, got "
            f"more; wait {wait} s ({by})",
            retry_after=wait, limit=name, most=most, used=most - self.taken.left, reset=ceil(self.taken.reset),
        )  # fmt: skip

    @property
    def left(self) -> bytes:
        """``RateLimit``, its value."""
        return b"%s;r=%d;t=%d" % (self.named.start, self.taken.left, ceil(self.taken.reset))


class Allowance(NamedTuple):
    """What a call was counted against: the quota of who calls, then that of their application."""

    own: Part
    #: None: it was not counted against one.
    app: Part | None = None

    def check(self) -> None:
        """Raises Problem ``rate_limited`` when nothing was left of one of them."""
        self.own.check()
        if self.app is not None:
            self.app.check()

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], tuple[bytes, bytes]]:
        """``RateLimit-Policy`` and ``RateLimit`` as ASGI has them, a list of all."""
        if self.app is None:
            return (b"ratelimit-policy", self.own.policy), (b"ratelimit", self.own.left)
        policies = b"%s, %s" % (self.own.policy, self.app.policy)
        return (b"ratelimit-policy", policies), (b"ratelimit", b"%s, %s" % (self.own.left, self.app.left))


class Limits:
    """All limits of one process. With several, they tell each other what was taken (``sharing.py``)."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = monotonic) -> None:
        self._on = settings.limits
        self._clock = clock
        self._named = {name: _named(name, settings) for name in get_args(LimitName)}
        self._app = _named("app", settings, longest=PLAN_SECONDS)
        #: Quotas of plans with what is said of them, by calls a minute.
        self._plans: dict[int, tuple[Quota, bytes]] = {}

    def count(
        self, name: LimitName, identity: Identity | None, address: str, calls_minute: int | None = None
    ) -> Allowance | None:  # fmt: skip
        """Counts one of these by the account, or without one by the address; and where there is an account, by its
        application, of which ``calls_minute`` is what its plan allows. None for callers without a limit: operators,
        whose tokens an installation makes for itself.

        What the account has no room for is not counted by the application.
        """
        if not self._on:
            return None
        named, now = self._named[name], self._clock()
        if identity is None:
            return Allowance(_part(named, "address", named.limiter.take(address, now)))
        if identity.role == "operator":
            return None
        # An account's id and an address are never the same text: an address has dots or colons.
        own = _part(named, "account", named.limiter.take(identity.account, now))
        if own.taken.wait > 0.0:
            return Allowance(own)
        quota, policy = self._of_app(calls_minute)
        taken = self._app.limiter.take(identity.app, now, 1, quota)
        return Allowance(own, Part(self._app, "application", taken, quota, policy))

    def used(self, app: str, calls_minute: int) -> Taken:
        """What is left to an application, without a call."""
        return self._app.limiter.take(app, self._clock(), 0, self._of_app(calls_minute)[0])

    def _of_app(self, calls_minute: int | None) -> tuple[Quota, bytes]:
        if calls_minute is None:
            return self._app.limiter.quota, self._app.policy
        found = self._plans.get(calls_minute)
        if found is None:
            if len(self._plans) >= PLANS:
                self._plans.clear()
            quota = Quota(calls_minute, PLAN_SECONDS)
            found = self._plans[calls_minute] = (quota, _policy(self._app.start, quota))
        return found

    # What processes tell each other.

    def share(self, shared: bool) -> None:
        """Whether there is somebody to be told."""
        for named in self._all():
            named.limiter.shared = shared and self._on

    def due(self, most: int) -> list[tuple[str, str, float]]:
        """What others are to be told: limit, subject, seconds of the quota; of each limit at most so many subjects."""
        return [
            (named.name, subject, seconds)
            for named in self._all()
            for subject, seconds in named.limiter.due(most).items()
        ]

    def add(self, name: str, subject: str, seconds: float) -> None:
        """Another process has let a subject take so much; of a limit that is not known here nothing happens."""
        named = self._app if name == self._app.name else self._named.get(name)
        if named is not None:
            named.limiter.add(subject, seconds, self._clock())

    def _all(self) -> Iterator[NamedLimit]:
        yield self._app
        yield from self._named.values()


def _part(named: NamedLimit, whose: str, taken: Taken) -> Part:
    return Part(named, whose, taken, named.limiter.quota, named.policy)


def _policy(start: bytes, found: Quota) -> bytes:
    return b"%s;q=%d;w=%d" % (start, *found)


def _named(name: LimitName | Literal["app"], settings: Settings, longest: int = 0) -> NamedLimit:
    found = quota(getattr(settings, f"limit_{name}"))
    start = f'"{name}"'.encode()
    return NamedLimit(name, Limiter(found, longest=longest), _policy(start, found), start)
