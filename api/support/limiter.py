"""How often a subject may do something: the generic cell rate algorithm (ITU-T I.371), in bounded memory. Pure.

All that is kept of a subject is one moment: when its quota will be whole again. Each unit moves that moment on by
``seconds / most``; what would move it further ahead than ``seconds`` is refused. A moment that has passed is as good as
none, so whoever was quiet for ``seconds`` can be forgotten.
"""

from __future__ import annotations

from typing import NamedTuple

from infra.base.settings import Quota

#: Subjects that are remembered of each of the two generations: some 10 MB of a limit, at most.
SUBJECTS = 50_000
#: Seconds by which sums of floating-point numbers may be off.
_EPSILON = 1e-6


class Taken(NamedTuple):
    """What came of taking from a quota."""

    #: Seconds to wait until it would be granted; 0 when it was.
    wait: float
    #: Units that are left now.
    left: int
    #: Seconds until the quota is whole again.
    reset: float


class Limiter:
    """One quota for each subject. ``now`` is any clock that does not go back, in seconds."""

    def __init__(self, quota: Quota, subjects: int = SUBJECTS) -> None:
        self.quota = quota
        self._each = quota.seconds / quota.most
        self._subjects = subjects
        # Who is in neither generation was quiet for the whole time, or was crowded out by `subjects` others.
        self._young: dict[str, float] = {}
        self._old: dict[str, float] = {}
        self._turns = float("-inf")

    def __len__(self) -> int:
        """Subjects that are remembered; at most twice ``subjects``."""
        return len(self._young.keys() | self._old.keys())

    def take(self, subject: str, now: float, cost: int = 1) -> Taken:
        """Takes ``cost`` units, or none when so many are not left."""
        whole = self._whole(subject, now)
        after = whole + self._each * cost
        wait = after - now - self.quota.seconds
        if wait <= _EPSILON:
            wait, whole = 0.0, after
        if len(self._young) >= self._subjects and subject not in self._young:
            self._turn(now)
        # Of a refusal too: who goes on trying is not crowded out, and so let in, by others.
        self._young[subject] = whole
        return Taken(wait, self._left(whole - now), whole - now)

    def give_back(self, subject: str, now: float, cost: int = 1) -> None:
        """Returns units that were taken for what did not happen."""
        whole = self._whole(subject, now)
        if whole > now:
            self._young[subject] = whole - self._each * cost

    def _whole(self, subject: str, now: float) -> float:
        """When the subject's quota is whole again; not before now."""
        if now >= self._turns:
            self._turn(now)
        found = self._young.get(subject)
        if found is None:
            found = self._old.get(subject, now)
        return found if found > now else now

    def _turn(self, now: float) -> None:
        """Forgets who was not seen since the last turn."""
        self._old, self._young = self._young, {}
        self._turns = now + self.quota.seconds

    def _left(self, until: float) -> int:
        return int((self.quota.seconds - until + _EPSILON) / self._each)
