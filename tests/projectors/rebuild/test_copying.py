"""Rows by COPY give the rows that upserts give, whatever signs the values hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from events.channels import Channel, ChannelUser
from events.core.records import Entity
from events.message_entity import END_ID, FIRST_ID
from events.messages import Message
from events.users import User
from infra.base import months, postgres, rows
from infra.base.settings import Settings
from projectors.rebuild.copying import copy, encoded, layout, parts

#: What COPY, arrays and tsvectors take for their own; and other text, but what the log refuses in Postgres anyway.
TEXT = some.text(
    some.one_of(
        some.sampled_from("\\\t\n\r'\"{},N.ab ü東👩‍"), some.characters(exclude_characters="\x00", codec="utf-8")
    ),
    max_size=12,
)
JSON = some.dictionaries(
    TEXT, some.one_of(TEXT, some.integers(-5, 5), some.none(), some.lists(TEXT, max_size=2)), max_size=3
)
TIME = "2025-01-02T03:04:05.678Z"
#: At the ends of what a Time can say, and before the day from which Postgres counts.
TIMES = some.sampled_from([TIME, "0001-01-01T00:00:00.000Z", "1999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"])


#: Of a message: none of a time, for whose month there would have to be a partition.
ID = TEXT.filter(lambda id: not FIRST_ID <= id < END_ID)
#: Rooms stand in their messages' words, in which other signs are taken for their own.
ROOM = some.text("'\\\"a, ", max_size=6)
SAID = some.one_of(some.sampled_from(["ab 'cd'", "東京"]), TEXT)


@some.composite
def messages(draw: Any) -> Message:
    return Message(
        id=draw(ID), room=draw(ROOM), seq=draw(some.integers(0, 9)), author=draw(TEXT), token=draw(TEXT),
        type=draw(some.sampled_from(["text", "custom"])), content={**draw(JSON), "text": draw(SAID)}, data=draw(JSON),
        created=draw(TIMES), updated=TIME, edited=draw(some.one_of(some.none(), TIMES)), deleted=None,
        revision=0, rank=None, version=1,
    )  # fmt: skip


@some.composite
def users(draw: Any) -> User:
    return User(
        id=draw(TEXT), app=draw(TEXT), username=draw(TEXT), name=draw(TEXT), role="person", state="registered",
        credential=draw(some.one_of(some.none(), TEXT)), email=draw(some.one_of(some.none(), TEXT)), email_settled=1,
        seen=draw(some.sampled_from([None, TIME])), visual=None,
        added_by=None, external=draw(some.one_of(some.none(), TEXT)), account="regular", team=None, avatar=None,
        bio=None, custom=draw(some.dictionaries(TEXT, TEXT, max_size=2)), deactivated=None,
        data=draw(some.dictionaries(TEXT, TEXT, max_size=2)),
        created=TIME, updated=TIME, version=1,
    )  # fmt: skip


@some.composite
def channel_users(draw: Any) -> ChannelUser:
    number = draw(some.one_of(some.none(), some.integers(1, 2**32 - 1)))
    return ChannelUser(user=draw(TEXT), number=number, channels=draw(some.integers(0, 9)), version=1)


@some.composite
def channels(draw: Any) -> Channel:
    return Channel(
        id=draw(some.integers(1, 2**32 - 1)), name=draw(TEXT), limit=5, owner=draw(TEXT), state="created",
        created=draw(TIMES), deleted=draw(some.one_of(some.none(), TIMES)), version=1,
    )  # fmt: skip


ROWS = some.one_of(messages(), users(), channels(), channel_users())


@pytest.fixture
async def connection(settings: Settings) -> Any:
    found = await postgres.connect(settings)
    await months.ensure(found, settings.schema, months.ahead())
    yield found
    await found.close()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=some.lists(ROWS, unique_by=lambda one: one.key, min_size=1, max_size=8))
async def test_the_rows_are_the_same(connection: postgres.Connection, found: list[Entity]) -> None:
    async def stored() -> list[Any]:
        return [
            list(map(tuple, await connection.fetch(f"select * from {name} order by 1")))  # noqa: S608
            for name in ("messages", "users", "channels", "channel_users")
        ]

    transaction = connection.transaction()
    await transaction.start()
    try:
        await rows.store(connection, {one.key: one for one in found})
        expected = await stored()
        await connection.execute("truncate messages, users, channels, channel_users")
        for kind in ("message", "user", "channel", "channel_user"):
            spec = layout(kind)
            await copy(connection, spec, parts(spec, [one for one in found if one.kind == kind]), 60)
        assert await stored() == expected
    finally:
        await transaction.rollback()


@pytest.mark.parametrize(
    "wrong",
    [
        {"created": "2016-12-31T23:59:60.000Z"}, {"created": "2025-01-02T24:00:00.000Z"},
        {"created": "2025-02-30T00:00:00.000Z"}, {"author": "\ud800"}, {"seq": 1 << 63}, {"room": "a\x00b"},
        {"content": {"text": " ".join(f"{number:x}" for number in range(200_000))}},
    ],
    ids=["leap second", "hour 24", "no such day", "surrogate", "65 bits", "U+0000", "too many words"],
)  # fmt: skip
def test_what_the_format_cannot_hold_is_refused_before_it_is_sent(wrong: dict[str, Any]) -> None:
    fields: dict[str, Any] = {
        "id": "1", "room": "r", "seq": 1, "author": "a", "token": "", "type": "text", "content": {"text": "hello"},
        "data": {}, "created": TIME, "updated": TIME, "edited": None, "deleted": None, "revision": 0,
        "rank": None, "version": 1,
    }  # fmt: skip
    assert parts(layout("message"), [Message(**fields)])
    assert encoded(layout("message"), []) == b""
    with pytest.raises(ValueError):
        parts(layout("message"), [Message(**{**fields, **wrong})])
