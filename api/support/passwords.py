"""Passwords: hashed with argon2id (RFC 9106), off the event loop, a few at a time, in turn by caller."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from api.support.problems import Problem

#: RFC 9106's second recommended option: 64 MiB, 3 passes, 4 lanes.
PARAMETERS = RFC_9106_LOW_MEMORY
#: Hashes computed at once: each takes a core and 64 MiB for its time.
WORKERS = 2
#: Hashes that may wait; more would wait longer than clients do.
WAITING = 64
#: The same of one lane: half of the room is for others.
LANE = 32


class _Job(NamedTuple):
    work: Callable[[], Any]
    future: asyncio.Future[Any]


class Passwords:
    """Hashing and verifying. Each ``lane``, an address or a person, has its turn, however many wait in another.

    Raises Problem ``overloaded`` when too many wait: of a full queue, the last of the longest lane is sent away.
    """

    def __init__(self) -> None:
        self._hasher = PasswordHasher.from_parameters(PARAMETERS)
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="argon2")
        #: Those that wait, the lane whose turn is next first.
        self._lanes: OrderedDict[str, deque[_Job]] = OrderedDict()
        self._waiting = 0
        self._running = 0
        # Verified when there is no user, so that an unknown name costs as much as a wrong password.
        self._nobody = self._hasher.hash("nobody has this password")

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str, lane: str) -> str:
        """The hash in PHC string format, with its salt and parameters."""
        hashed: str = await self._run(lane, lambda: self._hash(password))
        return hashed

    async def verify(self, hash: str | None, password: str, lane: str) -> bool:
        """Whether the password fits. With None it costs the same and is False."""
        right: bool = await self._run(lane, lambda: self._verify(hash, password))
        return right

    def _hash(self, password: str) -> str:
        return self._hasher.hash(password)

    def _verify(self, hash: str | None, password: str) -> bool:
        try:
            return self._hasher.verify(hash or self._nobody, password) and hash is not None
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, lane: str, work: Callable[[], Any]) -> Any:
        job = _Job(work, asyncio.get_running_loop().create_future())
        self._enter(lane, job)
        self._start()
        return await job.future

    def _enter(self, lane: str, job: _Job) -> None:
        mine = len(self._lanes.get(lane, ()))
        if mine >= LANE:
            raise _overloaded()
        if self._waiting >= WAITING:
            longest = max(self._lanes.values(), key=len)
            if len(longest) <= mine + 1:
                raise _overloaded()
            last = longest.pop()
            self._waiting -= 1
            if not last.future.done():
                last.future.set_exception(_overloaded())
        self._lanes.setdefault(lane, deque()).append(job)
        self._waiting += 1

    def _start(self) -> None:
        """Begins what there are workers for, one of each lane in turn."""
        while self._running < WORKERS and self._lanes:
            lane, jobs = self._lanes.popitem(last=False)
            job = jobs.popleft()
            self._waiting -= 1
            if jobs:
                self._lanes[lane] = jobs
            if not job.future.done():
                self._running += 1
                done = asyncio.get_running_loop().run_in_executor(self._pool, job.work)
                done.add_done_callback(partial(self._ended, job))

    def _ended(self, job: _Job, done: asyncio.Future[Any]) -> None:
        self._running -= 1
        if not job.future.done() and not done.cancelled():
            error = done.exception()
            if error is not None:
                job.future.set_exception(error)
            else:
                job.future.set_result(done.result())
        self._start()


def _overloaded() -> Problem:
    return Problem(
        "overloaded", f"expected at most {WAITING} passwords waiting, {LANE} of them from one address; try again",
        retry_after=2,
    )  # fmt: skip
