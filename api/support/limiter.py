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
#: Others are told of a subject once it has taken this share of its quota since they were told: so each process hides at
#: most so much, and who is far from a limit costs nothing.
TOLD_SHARE = 0.02
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
    """One quota for each subject. ``now`` is any clock that does not go back, in seconds.

    What was taken can be shared with other processes, in seconds of the quota, which mean the same to all of them.
    """

    def __init__(self, quota: Quota, subjects: int = SUBJECTS, *, longest: int = 0) -> None:
        """``longest``: seconds of the longest quota with which ``take`` is called, where that is another one."""
        self.quota = quota
        self._each = quota.seconds / quota.most
        self._keep = max(quota.seconds, longest)
        self._subjects = subjects
        #: Whether what is taken is noted for others.
        self.shared = False
        #: Seconds of the quota that were taken here and not told yet, and who has taken so much that others are told.
        self._untold: dict[str, float] = {}
        self._due: set[str] = set()
        # Who is in neither generation was quiet for the whole time, or was crowded out by `subjects` others.
        self._young: dict[str, float] = {}
        self._old: dict[str, float] = {}
        self._turns = float("-inf")

    def __len__(self) -> int:
        """Subjects that are remembered; at most twice ``subjects``."""
        return len(self._young.keys() | self._old.keys())

    def take(self, subject: str, now: float, cost: int = 1, quota: Quota | None = None) -> Taken:
        """Takes ``cost`` units, or none when so many are not left; ``quota``: one of the subject's own."""
        seconds, each = self.quota.seconds, self._each
        if quota is not None:
            seconds, each = quota.seconds, quota.seconds / quota.most
        whole = self._whole(subject, now)
        after = whole + each * cost
        wait = after - now - seconds
        if wait <= _EPSILON:
            wait, whole = 0.0, after
            if self.shared:
                untold = self._untold[subject] = self._untold.get(subject, 0.0) + each * cost
                if untold >= seconds * TOLD_SHARE - _EPSILON:
                    self._due.add(subject)
        if len(self._young) >= self._subjects and subject not in self._young:
            self._turn(now)
        # Of a refusal too: who goes on trying is not crowded out, and so let in, by others.
        self._young[subject] = whole
        left = int((seconds - (whole - now) + _EPSILON) / each)
        return Taken(wait, left if left > 0 else 0, whole - now)

    def give_back(self, subject: str, now: float, cost: int = 1) -> None:
        """Returns units that were taken for what did not happen."""
        whole = self._whole(subject, now)
        if whole > now:
            self._young[subject] = whole - self._each * cost

    def due(self, most: int) -> dict[str, float]:
        """What others are to be told: seconds of the quota by subject, at most so many; the rest next time."""
        told: dict[str, float] = {}
        while self._due and len(told) < most:
            subject = self._due.pop()
            told[subject] = self._untold.pop(subject)
        return told

    def add(self, subject: str, seconds: float, now: float) -> None:
        """Another process has let the subject take so much of its quota.

        More than was left is a debt of at most a whole quota, so that what several processes let through too much at
        one moment is let through less at the next.
        """
        until = now + 2 * self._keep
        if len(self._young) >= self._subjects and subject not in self._young:
            self._turn(now)
        self._young[subject] = min(self._whole(subject, now) + seconds, until)

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
        self._turns = now + self._keep
        # Who has taken so little in all that time is told of no more.
        self._untold = {subject: self._untold[subject] for subject in self._due}
