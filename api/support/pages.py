"""Pages of long lists: opaque cursors, and limits."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

import msgspec

from api.support.problems import Problem
from events.core.clock import Time, to_datetime
from events.core.faults import found, wrong
from events.core.text import fold, query_grams
from infra.base.postgres import Row
from producers.limits import NAME_CHARS, composed

#: Items of one page.
Limit = Annotated[int, msgspec.Meta(ge=1, le=200)]
Cursor = Annotated[
    str,
    msgspec.Meta(
        max_length=1000,
        description="`next` of the page before; others are refused",
        extra_json_schema={"pattern": "^[A-Za-z0-9_-]+$"},
    ),
]
#: What to search for in names; ``SearchText`` bounds it as names are kept.
Query = Annotated[
    str,
    msgspec.Meta(
        min_length=1, extra_json_schema={"maxLength": NAME_CHARS},
        extra={"expected": f"a string of 1 to {NAME_CHARS} characters"},
    ),
]  # fmt: skip

#: Parts of a name that the index is asked for: they narrow it down, and the pattern decides. A hundred characters may
#: be 1,800 once they are folded.
GRAMS = 32

T = TypeVar("T")

#: Above every time and id: where a list in descending order begins.
LAST_TIME = "9999-12-31T00:00:00.000Z"
LAST_ID = "\U0010ffff"
LAST_OFFSET = 2**63 - 1


#: Parts of a place: what Postgres takes, whoever made the cursor.
Text = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*$")]
Rank = Annotated[int, msgspec.Meta(ge=-3, le=1)]
Offset = Annotated[int, msgspec.Meta(ge=-1, le=2**63 - 1)]


def encode(*place: Any) -> str:
    """The cursor of a place in a list."""
    return urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def decode(cursor: str | None, shape: type[T], start: T) -> T:
    """The place of a cursor, ``start`` without one. Raises Problem ``invalid``."""
    if cursor is None:
        return start
    try:
        return msgspec.json.decode(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=shape)
    except (ValueError, msgspec.DecodeError) as error:
        raise _no_cursor() from error


def decode_id(cursor: str | None) -> str:
    """The id after which a page of a list by id begins. Raises Problem ``invalid``."""
    (after,) = decode(cursor, tuple[Text], ("",))
    return after


def by_id(rows: Sequence[Row], limit: int) -> tuple[Sequence[Row], str | None]:
    """A page of a list by id, and the cursor of the next, of one row more than it may hold; None: it is the last."""
    page = rows[:limit]
    return page, encode(page[-1]["id"]) if len(rows) > limit else None


def _no_cursor() -> Problem:
    return Problem(
        "invalid", errors=[wrong("/cursor", "`next` of an earlier page of this operation", "another string")]
    )


def decode_latest(cursor: str | None) -> tuple[str, str]:
    """The place of a cursor in a list by time and id, the latest first. Raises Problem ``invalid``."""
    moment, id = decode(cursor, tuple[Time, Text], (LAST_TIME, LAST_ID))
    try:
        to_datetime(moment)
    except ValueError as error:
        raise _no_cursor() from error
    return moment, id


class SearchText:
    """A text that people search for, as the queries need it."""

    def __init__(self, text: str) -> None:
        self.folded = fold(composed(text).strip())
        if not self.folded:
            what = "at least one character that is not white space"
            raise Problem("invalid", errors=[wrong("/name", what, found(text))])
        self.grams = query_grams(self.folded)[:GRAMS]
        escaped = self.folded.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        #: LIKE patterns: anywhere; at the start of the first line, of the second line; all of either line.
        self.anywhere, self.first, self.second = f"%{escaped}%", f"{escaped}%", f"%\n{escaped}%"
        self.all_first, self.all_second = f"{escaped}\n%", f"%\n{escaped}"
