"""Passwords: hashed with argon2id (RFC 9106), off the event loop, a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from api.problems import Problem

T = TypeVar("T")

#: Hashes computed at once: each takes a core and 64 MiB for its time.
WORKERS = 2
#: Hashes that may wait; more would wait longer than clients do.
WAITING = 64


class Passwords:
    """Hashing and verifying. Raises Problem ``overloaded`` when too many wait."""

    def __init__(self) -> None:
        # argon2-cffi's defaults are RFC 9106's second recommended option: 64 MiB, 3 passes, 4 lanes.
        self._hasher = PasswordHasher()
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="argon2")
        self._waiting = 0
        # Verified when there is no user, so that an unknown name costs as much as a wrong password.
        self._nobody = self._hasher.hash("nobody has this password")

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """The hash in PHC string format, with its salt and parameters."""
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, hash: str | None, password: str) -> bool:
        """Whether the password fits. With None it costs the same and is False."""
        return await self._run(lambda: self._verify(hash, password))

    def _verify(self, hash: str | None, password: str) -> bool:
        try:
            return self._hasher.verify(hash or self._nobody, password) and hash is not None
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING:
            raise Problem("overloaded", f"expected at most {WAITING} passwords waiting; try again", retry_after=2)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1
