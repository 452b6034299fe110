"""What a verification finds: plain data."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from projectors.rebuild.reading import Tally


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """The event that should have made a row what it is expected to be; of a row too many, the stream's latest."""

    #: ``rooms/3/1234``.
    position: str
    type: str


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One row that is not as the log says; ``columns`` are those that differ: name -> [expected, actual]."""

    table: str
    key: dict[str, Any]
    kind: Literal["missing", "too many", "differs"]
    columns: dict[str, tuple[Any, Any]]
    stream: str
    event: Cause | None


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One table, of ``changes`` one shard: its rows, and the sum of their hashes, whatever their order."""

    table: str
    expected: int
    actual: int
    expected_digest: str
    actual_digest: str

    @property
    def equal(self) -> bool:
        return (self.expected, self.expected_digest) == (self.actual, self.actual_digest)


class LogFindings(msgspec.Struct, kw_only=True):
    """What is wrong with the log itself; of each kind the first ones, and in ``counts`` how many there are."""

    tally: Tally = msgspec.field(default_factory=Tally)
    #: Rooms whose messages are not numbered without gaps.
    gaps: list[str] = []
    #: What names something that does not exist.
    dangling: list[str] = []
    #: Commands that were carried out twice.
    repeated: list[str] = []
    #: Streams with an event that this code cannot apply.
    refused: list[str] = []
    counts: dict[str, int] = {}

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong; void records are not, and what is unknown may only be newer."""
        return not (any(self.counts.values()) or self.tally.unreadable_count)


class Findings(msgspec.Struct, kw_only=True):
    """The result."""

    #: Up to where the log and the rows were compared.
    vector: str
    tables: list[Compared] = []
    differences: list[Difference] = []
    #: Differences by table, also of those that are not listed.
    counts: dict[str, int] = {}
    #: Streams whose rows wait for a parked event: they were left out.
    waiting: list[str] = []
    log: LogFindings = msgspec.field(default_factory=LogFindings)
    #: What was rewritten, and what was found right when its turn came.
    healed: int = 0
    settled: int = 0
    seconds: float = 0.0

    @property
    def equal(self) -> bool:
        """Whether the rows are what the log says."""
        return not self.differences
