"""Failed log-ins, counted by name, so that nobody guesses passwords at speed."""

from __future__ import annotations

from time import monotonic

from api.problems import Problem

#: Failed log-ins of one name within a minute before more are refused; RFC 6819 4.4.3.6 asks for such a bound.
FAILURES = 20
_MINUTE = 60.0


class Failures:
    """Failed log-ins by name, within the last minute, in this process."""

    def __init__(self) -> None:
        self._times: dict[str, list[float]] = {}

    def check(self, name: str, clock: float | None = None) -> None:
        """Raises Problem ``rate_limited`` when the name had too many failures."""
        times = self._recent(name, clock)
        if len(times) >= FAILURES:
            wait = max(1.0, times[0] + _MINUTE - self._now(clock))
            raise Problem(
                "rate_limited", f"expected at most {FAILURES} failed log-ins a minute for one name", retry_after=wait
            )

    def add(self, name: str, clock: float | None = None) -> None:
        """Notes a failure."""
        if len(self._times) > 10_000:
            self._times = {key: found for key in list(self._times) if (found := self._recent(key, clock))}
        self._times.setdefault(name, []).append(self._now(clock))

    def _recent(self, name: str, clock: float | None) -> list[float]:
        times = [time for time in self._times.get(name, []) if time > self._now(clock) - _MINUTE]
        if times:
            self._times[name] = times
        else:
            self._times.pop(name, None)
        return times

    @staticmethod
    def _now(clock: float | None) -> float:
        return clock if clock is not None else monotonic()
