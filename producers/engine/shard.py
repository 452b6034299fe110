"""The owner of one shard: one loop that takes all waiting commands, decides them, appends one batch, answers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Sequence

import msgspec

from events.core.log import TermFilter
from events.core.positions import Shard
from events.core.records import DecodeError, Entity, Key, Record
from events.registry import REGISTRY
from infra.base import away, postgres, rows
from infra.base.disk import RETRY_SECONDS
from infra.base.erased_apps import ErasedApps
from infra.base.progress import READ_MODELS, Progress
from infra.base.settings import Settings
from producers import metrics, registry
from producers.batch.cache import ReceiptKey, StateCache, complete, receipt_key
from producers.batch.command_batch import CommandBatch
from producers.commands import CommandEnvelope, Outcome, Unavailable
from producers.engine.idempotency_index import IdempotencyIndex
from producers.engine.log import AppendRefused, OutcomeUnknown, RecordsMissing, ShardLog, read_tail
from producers.engine.recent import Recent

log = logging.getLogger(__name__)

#: Commands of one turn: bounds what an unknown outcome repeats, and one query's arrays.
TURN_COMMANDS = 500
#: Commands in a turn from which on its price is small beside theirs.
WORTH = 32
#: Longest rest between two turns, in seconds.
REST_SECONDS = 0.004
#: Kafka or Postgres is away: the shard opens again once it is back.
_AWAY: tuple[type[Exception], ...] = (*away.PARTS, RecordsMissing)
#: Seconds between attempts to open a shard.
_RETRY_SECONDS = 0.2


class _Pending:
    """A command that waits for its outcome."""

    __slots__ = ("appending", "envelope", "future", "key", "retried", "stream")

    def __init__(self, envelope: CommandEnvelope) -> None:
        self.envelope = envelope
        #: Whether a batch with it is under way.
        self.appending = False
        #: Whether such a batch ended with an unknown outcome: its events may stand in the log.
        self.retried = False
        self.stream: str = registry.of(envelope.command).stream(envelope.command)
        self.key: ReceiptKey = (self.stream, envelope.actor, envelope.command_key)
        self.future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def resolve(self, outcome: Outcome | None, error: Exception | None) -> None:
        if self.future.done():
            return
        if error is not None:
            self.future.set_exception(error)
        elif outcome is not None:
            self.future.set_result(outcome)

    def put_off(self, reason: Unavailable) -> None:
        """Answers that it was not decided; or, when it was once on its way to the log, that nobody knows."""
        if self.appending or self.retried:
            text = f"it may have happened, and is not looked up now: {reason.detail}"
            reason = Unavailable("unknown", text, reason.retry_after)
        self.resolve(None, reason)


class ShardOwner:
    """Decides the commands of one shard. ``start()``, then ``submit()``; ``stop()`` refuses what still waits."""

    def __init__(
        self, settings: Settings, shard: Shard, writer: ShardLog, pool: postgres.Pool, progress: Progress,
        gate: asyncio.Semaphore, recent: Recent, erased: ErasedApps,
    ) -> None:  # fmt: skip
        """``gate``: how many shards of a process learn their keys at the same time. ``recent`` is told whose events
        are appended, before they are acknowledged. In streams of ``erased`` applications nothing is decided."""
        self.shard = shard
        self.open = False
        self._settings = settings
        self._writer = writer
        self._pool = pool
        self._progress = progress
        self._recent = recent
        self._erased = erased
        self._cache = StateCache()
        self._idempotency = IdempotencyIndex(shard, pool, gate)
        self._waiting: deque[_Pending] = deque()
        self._work = asyncio.Event()
        self._source = f"klatsch/{settings.prefix}"
        #: Streams that hold an event which this code cannot fold.
        self._broken: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"shard {self.shard}")

    async def stop(self) -> None:
        """Ends the loop. Commands that wait are answered as not decided; those being appended, as unknown."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._idempotency.stop()
        self.open = False
        self._put_off("moved", f"shard {self.shard} has another owner now", 0.1)

    async def submit(self, envelope: CommandEnvelope) -> Outcome:
        """Decides an order. Raises Refused, or Unavailable: then repeating it with its key is safe."""
        if len(self._waiting) >= self._settings.shard_queue:
            raise Unavailable("overloaded", f"shard {self.shard}: {len(self._waiting)} commands are waiting")
        pending = _Pending(envelope)
        self._waiting.append(pending)
        self._work.set()
        try:
            async with asyncio.timeout(self._settings.command_seconds):
                return await pending.future
        except TimeoutError as error:
            text = f"no outcome within {self._settings.command_seconds} s; it may have happened, or may yet"
            raise Unavailable("unknown", text) from error

    def projected(self, next_offset: int) -> None:
        """The read models have everything of this shard below ``next_offset``."""
        # While the shard opens, entities are loaded as of one snapshot: none that was folded since may go.
        if self.open:
            self._cache.projected(next_offset)

    def forget(self) -> None:
        """The rows were mended or replaced: what was loaded of them may be wrong."""
        self._cache.forget()
        if self.open:
            self._idempotency.reload()

    @property
    def lag(self) -> int:
        """Events that the read models do not have yet."""
        return max(0, self._writer.next_offset - self._progress.vector.get(self.shard, 0))

    async def _run(self) -> None:
        while True:
            try:
                await self._open()
                self.open = True
                while True:
                    await self._work.wait()
                    await self._turn_and_rest()
            except OutcomeUnknown as unknown:
                log.warning("shard %s: %s", self.shard, unknown)
                if not self.open:
                    await asyncio.sleep(_RETRY_SECONDS)
            except _AWAY as error:
                log.warning("shard %s is closed: %r; opening again", self.shard, error)
                if isinstance(error, away.FULL):
                    self._put_off(
                        "insufficient_storage", f"shard {self.shard} is closed: no room on a disk", RETRY_SECONDS
                    )
                await asyncio.sleep(_RETRY_SECONDS)
            except Exception:
                log.exception("shard %s is closed by a fault; opening again", self.shard)
                await asyncio.sleep(_RETRY_SECONDS * 5)
            finally:
                self.open = False

    async def _open(self) -> None:
        """Appends ``log.opened``, then folds what the read models do not have yet. Only then may it decide."""
        self._cache.clear()
        self._idempotency.begin()
        self._broken.clear()
        await self._erased.read()
        term = await self._writer.open()
        sql = postgres.queries("shard")["position"]
        while True:
            # One snapshot: the entities must be as of the position from which the tail is folded.
            async with (
                self._pool.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                row = await connection.fetchrow(sql, READ_MODELS, self.shard.topic, self.shard.partition)
                start, last_term = (row["next_offset"], row["term"]) if row is not None else (0, None)
                if term - start <= self._settings.shard_lag:
                    await self._fold_tail(connection, start, term, TermFilter(last_term))
                    break
            self._refuse_waiting(term - start)
            await self._progress.wait({self.shard: term - self._settings.shard_lag // 2}, seconds=1.0)
        self._cache.projected(self._progress.vector.get(self.shard, 0))
        self._idempotency.load(start)
        self._recent.begin(self.shard)
        metrics.OPENED.labels(self.shard.topic).inc()
        log.info("shard %s is open: term %d, folded %d records", self.shard, term, max(0, term + 1 - start))

    async def _fold_tail(self, connection: postgres.Connection, start: int, term: int, valid: TermFilter) -> None:
        topic = self._settings.topic(self.shard.topic)
        async with contextlib.aclosing(read_tail(self._settings, topic, self.shard.partition, start, term)) as tail:
            async for raw in tail:
                records = []
                for message in raw:
                    if not valid.admits(message.offset, message.headers):
                        continue
                    try:
                        records.append(REGISTRY.decode(message.value, *self.shard, message.offset))
                    except DecodeError:
                        log.exception("shard %s: its stream takes no commands until this is mended", self.shard)
                        self._broken.add((message.key or b"").decode(errors="replace"))
                await self._fold(connection, records)

    async def _fold(self, connection: postgres.Connection, records: Sequence[Record]) -> None:
        at = time.monotonic()
        for record in records:
            # Another owner may have acknowledged it.
            self._recent.note(record.actor, self.shard, record.offset + 1, at)
        keys = {key for record in records for key in REGISTRY.keys(record)}
        if missing := self._cache.missing(keys):
            self._cache.add(await rows.load(connection, missing))
        state = self._cache.view(keys)
        for record in records:
            if record.stream in self._broken:
                continue
            try:
                changes = REGISTRY.fold(record, state)
            except Exception:
                log.exception("shard %s: %s at %d cannot be folded", self.shard, record.type, record.offset)
                self._broken.add(record.stream)
                continue
            state.update(changes)
            self._cache.commit(changes, [record])
        self._idempotency.add(records)

    def _refuse_waiting(self, lag: int) -> None:
        text = f"shard {self.shard}: the read models are {lag} events behind, at most {self._settings.shard_lag} may be"
        self._put_off("lagging", text, 5.0)

    def _put_off(self, code: str, text: str, retry_after: float) -> None:
        """Answers all that wait."""
        while self._waiting:
            self._waiting.popleft().put_off(Unavailable(code, text, retry_after))

    async def _turn_and_rest(self) -> None:
        """A turn; then, if it was small and commands came meanwhile, a rest as long as it took.

        Who was answered just now sends again meanwhile: fewer and larger turns are sooner done, for all of them. The
        busier the machine, the longer turns take, and rests with them; whoever comes alone waits for none.
        """
        began, small = time.monotonic(), len(self._waiting) < WORTH
        await self._turn()
        if small and self._waiting:
            await asyncio.sleep(min(time.monotonic() - began, REST_SECONDS))

    async def _turn(self) -> None:
        taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), TURN_COMMANDS))]
        if not self._waiting:
            self._work.clear()
        taken = [pending for pending in taken if not pending.future.done()]
        if self.lag > self._settings.shard_lag:
            self._waiting.extendleft(reversed(taken))
            self._refuse_waiting(self.lag)
            return
        taken = [pending for pending in taken if self._accepts(pending)]
        if not taken:
            return
        try:
            await self._decide_and_append(taken)
        except BaseException:
            # Not known what came of them: decided again after reopening, where their keys tell what happened.
            again = [pending for pending in taken if not pending.future.done()]
            for pending in again:
                pending.retried = pending.retried or pending.appending
                pending.appending = False
            self._waiting.extendleft(reversed(again))
            self._work.set()
            raise

    def _accepts(self, pending: _Pending) -> bool:
        if pending.stream not in self._broken and pending.stream not in self._progress.parked:
            return True
        text = f"stream {pending.stream} waits for an operator: one of its events could not be applied"
        pending.put_off(Unavailable("parked", text, retry_after=30.0))
        return False

    async def _decide_and_append(self, taken: Sequence[_Pending]) -> None:
        keys = {key for pending in taken for key in registry.of(pending.envelope.command).keys(pending.envelope)}
        state, receipts = await self._load(keys, taken)
        # Where it could not be read before, again.
        self._erased.refresh()
        batch = CommandBatch(
            self.shard.topic, self.shard.partition, self._writer.next_offset, self._source,
            state, receipts, self._erased.known,
        )  # fmt: skip
        decided = []
        for pending in taken:
            if not batch.decide(pending.envelope):
                break
            decided.append(pending)
        try:
            if batch.appends:
                for pending in decided:
                    pending.appending = True
                with metrics.APPEND_SECONDS.labels(self.shard.topic).time():
                    await self._writer.append(batch.appends)
            else:
                # A refusal or "nothing to do" must be true of the log too, and not only of what an old owner remembers.
                await self._writer.confirm()
        except AppendRefused as refusal:
            raise OutcomeUnknown(str(refusal)) from refusal
        self._cache.commit(batch.changes, batch.records)
        self._idempotency.add(batch.records)
        metrics.TURN_COMMANDS.labels(self.shard.topic).observe(len(decided))
        at = time.monotonic()
        for pending, result in zip(decided, batch.results, strict=True):
            if result.outcome is not None:
                # Also where nothing had to happen: what made it so may be as young.
                self._recent.note(pending.envelope.actor, self.shard, self._writer.next_offset, at)
            pending.resolve(result.outcome, result.error)
        if rest := taken[len(decided) :]:
            self._waiting.extendleft(reversed(rest))
            self._work.set()

    async def _load(
        self, keys: set[Key], taken: Sequence[_Pending]
    ) -> tuple[dict[Key, Entity | None], dict[ReceiptKey, list[Record]]]:
        """The entities, loaded where the cache lacks them, and the events of commands that happened before."""
        receipts: dict[ReceiptKey, list[Record]] = {}
        #: Keys to ask the read models for, each with the events that only this cache has.
        asked: dict[ReceiptKey, list[Record]] = {}
        for pending in taken:
            # Without a key of the client's, the order's own id is the key: only a retry of ours can find it.
            known = self._cache.receipt(pending.key)
            if known is not None and complete(known):
                receipts[pending.key] = known
            elif (pending.envelope.key is not None or pending.retried) and self._idempotency.may_contain(pending.key):
                asked[pending.key] = list(known or ())
        missing = self._cache.missing(keys)
        # Taken now: what the read models have may leave the cache while the rest is loaded.
        state = self._cache.view(keys.difference(missing))
        # What an order makes under its own id is not there, unless its command happened before: then nothing is made.
        made = {pending.envelope.id for pending in taken}
        state.update((key, None) for key in missing if key[-1] in made)
        missing = [key for key in missing if key[-1] not in made]
        if missing or asked:
            await self._look_up(missing, asked, state, receipts)
        # Of what is repeated, the answer may not show what was deleted since.
        named = {key for found in receipts.values() for record in found for key in REGISTRY.keys(record)} - state.keys()
        missing = self._cache.missing(named)
        state.update(self._cache.view(named.difference(missing)))
        if missing:
            async with self._pool.acquire() as connection:
                state.update(await self._loaded(connection, missing))
        return state, receipts

    async def _look_up(
        self, missing: Sequence[Key], asked: dict[ReceiptKey, list[Record]], state: dict[Key, Entity | None],
        receipts: dict[ReceiptKey, list[Record]],
    ) -> None:  # fmt: skip
        """Adds what the read models have to ``state`` and ``receipts``."""
        async with self._pool.acquire() as connection:
            if missing:
                state.update(await self._loaded(connection, missing))
            if asked:
                columns = [list(column) for column in zip(*asked, strict=True)]
                for row in await connection.fetch(postgres.queries("shard")["receipts"], *columns):
                    record = _record(row)
                    receipts.setdefault(receipt_key(record), []).append(record)
                for key, rest in asked.items():
                    if rest:
                        there = receipts.setdefault(key, [])
                        there += [record for record in rest if not there or record.offset > there[-1].offset]

    async def _loaded(self, connection: postgres.Connection, keys: Sequence[Key]) -> dict[Key, Entity | None]:
        """Entities of the read models, kept from here on; as they are now, also where they are mended meanwhile."""
        while True:
            forgotten = self._cache.forgotten
            loaded = await rows.load(connection, keys)
            if forgotten == self._cache.forgotten:
                self._cache.add(loaded)
                return loaded


def _record(row: postgres.Row) -> Record:
    """A row of ``changes`` as Record."""
    struct = REGISTRY.events[row["type"]].struct
    return Record(
        topic=row["topic"], partition=row["partition"], offset=row["offset"], id=row["id"], type=row["type"],
        stream=row["stream"], time=row["time"], actor=row["actor"], command=row["command"], app=row["app"],
        data=msgspec.convert(row["data"], struct), digest=row["digest"],
    )  # fmt: skip
