"""What people read most, over HTTP, and the page of history in Postgres alone: how long it takes on much data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, NamedTuple
from urllib.parse import quote

from api.history import Filters
from api.support.spans import Span, Spans
from infra.base import postgres
from infra.base.postgres import queries
from tests.bench.filled import Filled
from tests.bench.histogram import Histogram
from tests.bench.http import Http
from tests.bench.sheet import Sheet
from tests.bench.story import Story
from tests.bench.system import Wrong

_PAGE = 50
_WARM = 10


class WrongPage(Wrong):
    """An answer is not what was asked for; the text says expected and actual."""


class Asked(NamedTuple):
    """A request, and what its decoded answer must be: raises WrongPage."""

    path: str
    check: Callable[[Any], None]


async def read(filled: Filled, sheet: Sheet, count: int) -> None:
    """Asks ``count`` times for each; the roles "api" and "project" run, and the read models have everything."""
    own, story = filled
    me = own.person(story.users[0])
    http = await Http.opened(own.host, own.port)
    try:
        asker = _Asker(http, me.token, sheet)
        rooms = [room for room in story.rooms if me.id in story.members[room]][:count]
        large = max(rooms, key=lambda room: story.seqs.get(room, 0))
        for name in ("history, last page of a room", "history, last page again"):
            await asker.ask(name, [_last(story, room) for room in rooms], warm=False)
        places = [story.random.randint(2, story.seqs[large]) for _ in range(count)]
        middle = await asker.ask("history, page in the middle", [_below(large, place) for place in places])
        await asker.ask("room list with unread", [Asked("/v1/rooms", _list(story, rooms))] * count)
        words = Counter(
            word
            for page in middle
            for text in _texts(page)
            for word in text.split()
            if word.isascii() and word.isalpha()
        )
        common, rare = [word for word, _ in words.most_common(10)], [word for word, found in words.items() if found < 2]
        for name, some in (("search, common word", common), ("search, rare word", rare or common)):
            await asker.ask(name, [_search(some[number % len(some)]) for number in range(count)])
    finally:
        http.close()
    await _in_postgres(filled, sheet, large, places)


class _Asker:
    """Requests one after the other over one connection."""

    def __init__(self, http: Http, token: str, sheet: Sheet) -> None:
        self._http = http
        self._token = token
        self._sheet = sheet

    async def ask(self, name: str, wanted: Sequence[Asked], *, warm: bool = True) -> list[Any]:
        """All of them, checked; the first ones again before, if ``warm``. Returns the answers."""
        for one in wanted[: _WARM * warm]:
            await self._http.json("GET", one.path, token=self._token)
        latencies, answers = Histogram(), []
        for one in wanted:
            began = perf_counter()
            answer = await self._http.json("GET", one.path, token=self._token)
            latencies.record(perf_counter() - began)
            one.check(answer)
            answers.append(answer)
        self._sheet.latencies(name, latencies)
        return answers


def _last(story: Story, room: str) -> Asked:
    return _page(f"/v1/rooms/{room}/messages", story.seqs.get(room, 0) + 1)


def _below(room: str, place: int) -> Asked:
    return _page(f"/v1/rooms/{room}/messages?before={place}", place)


def _page(path: str, place: int) -> Asked:
    wanted = list(range(max(1, place - _PAGE), place))

    def check(answer: Any) -> None:
        found = [message["seq"] for message in answer["messages"]]
        if found != wanted:
            raise WrongPage(f"{path}: expected messages {wanted[:1]} to {wanted[-1:]}, got {found[:1]} to {found[-1:]}")

    return Asked(path, check)


def _list(story: Story, rooms: Sequence[str]) -> Callable[[Any], None]:
    def check(answer: Any) -> None:
        found = {entry["room"]["id"]: entry for entry in answer["rooms"]}
        if len(found) != min(_PAGE, len(rooms)):
            raise WrongPage(f"/v1/rooms: expected {min(_PAGE, len(rooms))} rooms, got {len(found)}")
        for room, entry in found.items():
            unread = story.seqs.get(room, 0) - entry["member"]["read"]
            if entry["unread"] != unread:
                raise WrongPage(f"/v1/rooms: expected {unread} unread in {room}, got {entry['unread']}")

    return check


def _search(word: str) -> Asked:
    def check(answer: Any) -> None:
        texts = [text.lower() for text in _texts({"messages": [found["message"] for found in answer["found"]]})]
        if not texts or not all(word.lower() in text for text in texts):
            raise WrongPage(f"expected messages with {word!r}, got {len(texts)}: {texts[:1]}")

    return Asked(f"/v1/messages?text={quote(word)}", check)


def _texts(page: Any) -> list[str]:
    return [message["content"].get("text", "") for message in page["messages"]]


async def _in_postgres(filled: Filled, sheet: Sheet, room: str, places: Sequence[int]) -> None:
    """The query behind a page in the middle, from its sending to its rows."""
    connection, latencies = await postgres.connect(filled.own.settings), Histogram()
    try:
        spans = Spans([Span(*row) for row in await connection.fetch(queries("messages")["spans"], room)], None, None)
        warm = places[:_WARM]
        for number, place in enumerate((*warm, *places)):
            window = spans.window_below(place, _PAGE)
            assert window is not None
            began = perf_counter()
            rows = await connection.fetch(queries("messages")["below"], room, *window, *Filters(), _PAGE)
            if number >= len(warm):
                latencies.record(perf_counter() - began)
            if len(rows) != min(_PAGE, place - 1):
                raise WrongPage(f"{room} below {place}: expected {min(_PAGE, place - 1)} rows, got {len(rows)}")
    finally:
        await connection.close()
    sheet.latencies("history, page in the middle, in Postgres", latencies)
