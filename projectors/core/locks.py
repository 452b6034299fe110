"""Who works on what: Postgres advisory locks, held by a projector's own connection and gone with it."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from typing import Generic, TypeVar

from infra.base.postgres import Connection, lock_key, queries

T = TypeVar("T", bound=Hashable)


class Locks(Generic[T]):
    """The locks of one connection on ``things``. They end with the connection, whoever ends it.

    They only spare two projectors the same work: what makes it safe is the compare-and-set of positions, and the
    term of a feed partition.
    """

    def __init__(self, connection: Connection, scope: str, things: Collection[T]) -> None:
        """``scope`` tells installations and projectors apart."""
        self.held: set[T] = set()
        self._connection = connection
        self._free = {lock_key(f"{scope}/{thing}"): thing for thing in things}

    @property
    def complete(self) -> bool:
        """Whether all are held."""
        return not self._free

    async def claim(self) -> set[T]:
        """Takes what nobody else holds, without waiting, and returns what is new."""
        if not self._free:
            return set()
        rows = await self._connection.fetch(queries("projectors")["claim_locks"], list(self._free))
        new = {self._free.pop(row["key"]) for row in rows if row["taken"]}
        self.held |= new
        return new
