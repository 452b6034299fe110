"""From records of the rooms' topic to the emotions of their messages, set over the API. Without Faust.

Idempotent: the key of each setting is the event's id, so that a record taken again sets nothing twice.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, ClassVar, NamedTuple

import aiohttp
import msgspec
from prometheus_client import Counter

from events.core.clock import to_datetime
from events.core.errors import KlatschError
from events.core.log import TermFilter
from events.core.positions import Position, Shard, encode_vector
from events.core.records import DecodeError, UnknownType
from events.messages import MessagePosted
from events.registry import REGISTRY
from projectors.workers.lexicon import dominant

log = logging.getLogger(__name__)

RECORDS = Counter("klatsch_emotions_records", "Records that the emotion worker has dealt with.", ["outcome"])

#: Username of the worker's service account, and the key under which it is registered: the same account for ever.
ACCOUNT = "emotions"
_ACCOUNT_KEY = "emotions-worker"
#: Messages older than this many hours get no emotion: nobody watches the faces of an imported conversation.
FRESH_HOURS = 24
#: Seconds that one message may hold up those behind it while the API does not answer.
PATIENCE = 300.0
_FIRST_PAUSE, _LAST_PAUSE = 0.2, 5.0
_LATER = frozenset({429, 500, 502, 503, 504, 507})
#: What ``Worker.waits`` is while the API refuses writes for want of room (507 insufficient_storage).
ROOM = "room on the disk"


class KafkaRecord(NamedTuple):
    """A record as Kafka has it."""

    partition: int
    offset: int
    headers: Sequence[tuple[str, bytes]]
    value: bytes


class EmotionFound(NamedTuple):
    """An emotion to set: the event's position, and what the API is told."""

    position: Position
    said: dict[str, str]


class _Result(msgspec.Struct):
    result: str
    code: str = ""
    detail: str = ""


class _EmotionResults(msgspec.Struct):
    results: list[_Result]


class GivenUp(KlatschError):
    """The API could not be asked; the text says what it answered last."""


class Worker:
    """Sets emotions as a service account, which it makes when it is first needed."""

    #: As of a Projector.
    effects: ClassVar[str] = "gives commands over the API"
    #: As of Work: the account has been made, so the API has been reached and knows this worker.
    needs: ClassVar[str] = "account"

    def __init__(self, api: str, operator_token: Callable[[], str]) -> None:
        """``api``: base URL. ``operator_token`` makes a fresh token with which the account is registered."""
        self.api = api.rstrip("/")
        #: Unix time of the last record that was dealt with.
        self.last = 0.0
        #: What the API lacks before it takes anything: ROOM, or empty.
        self.waits = ""
        self.failure: Exception | None = None
        self._operator_token = operator_token
        self._token: str | None = None
        self._terms: dict[int, TermFilter] = {}
        self._http: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))

    async def stop(self) -> None:
        if self._http is not None:
            await self._http.close()

    @property
    def prepared(self) -> bool:
        """Whether the account is there."""
        return self._token is not None

    def forget(self, partitions: Sequence[int]) -> None:
        """These partitions are read from another place from here on: which term holds there is to be found out."""
        for partition in partitions:
            self._terms.pop(partition, None)

    async def together(self, records: Sequence[KafkaRecord]) -> None:
        """Deals with some records, in order within their partitions; returns when all are dealt with, and counted.

        Outcomes: ``void`` (an old owner's), ``unknown`` (a newer type), ``unreadable``, ``other``, ``old``,
        ``neutral``, ``set``, ``refused``, ``failed``. Whatever goes wrong with a record does not end the worker.
        """
        self.last = time.time()
        found: list[EmotionFound] = []
        for raw in records:
            outcome = self._look(raw)
            if isinstance(outcome, EmotionFound):
                found.append(outcome)
            else:
                RECORDS.labels(outcome).inc()
        if found:
            try:
                outcomes = await self._set(found)
            except Exception:
                log.exception("%s and %d others: no emotion", found[0].position, len(found) - 1)
                outcomes = ["failed"] * len(found)
            for outcome in outcomes:
                RECORDS.labels(outcome).inc()

    def _look(self, raw: KafkaRecord) -> EmotionFound | str:
        if not self._terms.setdefault(raw.partition, TermFilter()).admits(raw.offset, raw.headers):
            return "void"
        try:
            record = REGISTRY.decode(raw.value, "rooms", raw.partition, raw.offset)
        except UnknownType:
            return "unknown"
        except DecodeError as error:
            log.error("%s", error)
            return "unreadable"
        event = record.data
        if not isinstance(event, MessagePosted) or event.type not in ("text", "action"):
            return "other"
        if (datetime.now(UTC) - to_datetime(record.time)).total_seconds() > FRESH_HOURS * 3600:
            return "old"
        emotion = dominant(str(event.content.get("text", "")))
        if emotion is None:
            return "neutral"
        said = {"room": record.stream, "message": event.message, "emotion": emotion, "key": record.id}
        return EmotionFound(record.position, said)

    async def _set(self, found: Sequence[EmotionFound]) -> list[str]:
        """What came of each: ``refused`` where its message or room is gone, for example. Raises GivenUp."""
        # The API looks at the messages in the read models, which may not have them yet.
        ends = {Shard(one.position.topic, one.position.partition): one.position.offset + 1 for one in found}
        headers = {"Klatsch-Position": encode_vector(ends)}
        body = {"emotions": [one.said for one in found]}
        for _ in range(2):
            status, answer = await self._ask("POST", "/v1/emotions", await self.account(), body, headers)
            if status < 400:
                results = msgspec.json.decode(answer, type=_EmotionResults).results
                return [self._outcome(one, result) for one, result in zip(found, results, strict=True)]
            if status != 401:
                break
            # The account's token was revoked: the account is asked for again, which the operator may have allowed.
            self._token = None
        if status == 422 and len(found) > 1:
            # One of them is none that the API takes; the others are set.
            return [outcome for one in found for outcome in await self._set([one])]
        said = f"{status} {answer[:200].decode(errors='replace')}"
        log.warning("%s and %d others: refused: %s", found[0].position, len(found) - 1, said)
        return ["refused"] * len(found)

    @staticmethod
    def _outcome(one: EmotionFound, result: _Result) -> str:
        if result.result != "set":
            log.warning("%s: refused: %s %s", one.position, result.code, result.detail)
        return result.result

    async def account(self) -> str:
        """The token of the worker's service account; waits for the API. Raises GivenUp."""
        if self._token is None:
            status, body = await self._ask(
                "POST", "/v1/services", self._operator_token(),
                {"username": ACCOUNT, "name": "Emotions", "scopes": ["emotions:write"]},
                {"Idempotency-Key": _ACCOUNT_KEY},
            )  # fmt: skip
            if status >= 400:
                raise GivenUp(
                    f"{self.api} refuses the account {ACCOUNT}: {status} {body[:200].decode(errors='replace')}; the "
                    "name must be free, and KLATSCH_SECRET that of the installation"
                )
            self._token = str(msgspec.json.decode(body, type=dict[str, Any])["token"])
        return self._token

    async def _ask(
        self, method: str, path: str, token: str, body: dict[str, Any], headers: dict[str, str]
    ) -> tuple[int, bytes]:
        """Status and body of a final answer; repeats what was not decided for PATIENCE seconds. Raises GivenUp.

        A full disk is waited for as long as it is full: meanwhile nothing comes in that could be held up.
        """
        assert self._http is not None
        deadline, pause = time.monotonic() + PATIENCE, _FIRST_PAUSE
        sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **headers}
        while True:
            wait = pause
            try:
                async with self._http.request(
                    method, self.api + path, data=msgspec.json.encode(body), headers=sent
                ) as answer:
                    content = await answer.read()
                    self._note(answer.status == HTTPStatus.INSUFFICIENT_STORAGE, content)
                    if answer.status not in _LATER:
                        return answer.status, content
                    trouble = f"{answer.status} {content[:200].decode(errors='replace')}"
                    wait = float(answer.headers.get("Retry-After", pause))
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                trouble, self.waits = f"{type(error).__name__} {error}", ""
            if self.waits:
                deadline = time.monotonic() + PATIENCE
            elif time.monotonic() + wait > deadline:
                raise GivenUp(f"{self.api} has not answered {method} {path} for {PATIENCE:.0f} s: {trouble}")
            await asyncio.sleep(wait)
            pause = min(pause * 2, _LAST_PAUSE)

    def _note(self, full: bool, content: bytes) -> None:
        """Says once why nothing gets on, and once that it goes on."""
        if full and not self.waits:
            said = content[:300].decode(errors="replace")
            log.warning("waits for %s, of which the API has too little: 507 %s", ROOM, said)
        elif self.waits and not full:
            log.warning("there is %s again: goes on", ROOM)
        self.waits = ROOM if full else ""
