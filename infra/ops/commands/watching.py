"""How a rebuild or a verification shows what it does: a bar while it folds, then a line for each step."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console

from events.core.positions import Shard
from infra.ops.commands.bars import Bar
from projectors.rebuild.building import Watch

#: What each phase is, in words.
_PHASES = {
    "indexes": "Making indexes and statistics",
    "catching up": "Catching up with what has happened since",
    "switching": "Catching up, and switching",
    "comparing": "Comparing",
    "healing": "Rewriting the rows that differ",
}


class Watching:
    """``with Watching(console) as shown: rebuild(..., watch=shown.watch)``."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._at: dict[Shard, int] = {}
        self._end: dict[Shard, int] = {}
        self._bar: Bar | None = None

    @property
    def watch(self) -> Watch:
        return Watch(self._begins, self._begin, self._moved)

    def __enter__(self) -> Watching:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close(kind, error, trace)

    def _begin(self, begin: dict[Shard, int], end: dict[Shard, int]) -> None:
        self._at, self._end = dict(begin), end

    def _begins(self, phase: str) -> None:
        self._close(None, None, None)
        if phase != "folding":
            self._console.print(f"  {_PHASES.get(phase, phase)} ...", highlight=False, markup=False)
            return
        to_go = sum(max(0, upto - self._at.get(shard, 0)) for shard, upto in self._end.items())
        if done := sum(self._at.values()):
            text = f"  continues: {done:,} records were folded before (--restart starts again)"
            self._console.print(text, highlight=False, markup=False)
        self._bar = Bar(self._console, "folded", to_go, "records")
        self._bar.__enter__()

    def _moved(self, shard: Shard, offset: int) -> None:
        if self._bar is not None:
            self._bar.advance(max(0, offset - self._at.get(shard, 0)))
        self._at[shard] = offset

    def _close(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.__exit__(kind, error, trace)
            self._bar = None
