"""What docs/reference/limits.md says is answered beyond a limit is what is answered, and the limit itself is taken.
Tests ``docs/reference/limits.md``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.client import Person, Refusal

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "limits.md"
#: What is sent of so much, by the row of the page: the operation and its members, and of how much it is the limit.
CASES: dict[str, tuple[str, Any, int]] = {
    "text of a message": ("messages.send", lambda n: {"client_id": str(n), "content": {"text": "x" * n}}, 2000),
    "`content` of a message": (
        "messages.send", lambda n: {"client_id": str(n), "type": "custom", "content": {"a": "x" * (n - 8)}}, 16 * 1024,
    ),
    "`data` of a message": (
        "messages.send", lambda n: {"client_id": str(n), "content": {"text": "x"}, "data": {"a": "x" * (n - 8)}},
        8 * 1024,
    ),
    "`client_id`, `Idempotency-Key`": (
        "messages.send", lambda n: {"client_id": "k" * n, "content": {"text": "x"}}, 128,
    ),
    "a name that is shown (of a person, a room)": ("users.change", lambda n: {"name": "x" * n}, 100),
    "a person's avatar": ("users.change", lambda n: {"avatar": "https://a.example/".ljust(n, "x")}, 2000),
    "what a person says of themselves (`bio`)": ("users.change", lambda n: {"bio": "x" * n}, 500),
    "`custom` of a person, a room or a member": ("users.change", lambda n: {"custom": {"a": "x" * (n - 8)}}, 5 * 1024),
    "description of a room": ("rooms.change", lambda n: {"description": "x" * n}, 2000),
    "topic line of a room": ("rooms.change", lambda n: {"topic_line": "x" * n}, 400),
    "`model_data` of a visual": ("visuals.create", lambda n: {"model_data": {"a": "x" * (n - 8)}}, 32 * 1024),
    "words to search for": ("messages.search", lambda n: {"text": "x" * n}, 200),
    "a part of a name to look for": ("users.find", lambda n: {"name": "x" * n}, 100),
    "ids that names are asked for": ("users.find", lambda n: {"ids": ",".join(map(str, range(n)))}, 100),
    "ids that presence is asked for": ("presence.get", lambda n: {"users": ",".join(map(str, range(n)))}, 100),
    "ids that visuals are asked for": ("visuals.list", lambda n: {"ids": ",".join(map(str, range(n)))}, 100),
    "name of a live channel": ("channels.create", lambda n: {"name": "x" * n, "limit": 2}, 64),
    "entries of a list, `limit`": ("rooms.find", lambda n: {"limit": n}, 200),
    "deltas of a page of `changes.pull`": ("changes.pull", lambda n: {"limit": n}, 1000),
}  # fmt: skip


def _said(row: str) -> tuple[int, str]:
    """The number of a row of the page, and the code of the problem beyond it."""
    (line,) = [line for line in PAGE.read_text().splitlines() if line.startswith(f"| {row} |")]
    _, _, most, beyond, _ = line.split("|")
    number, unit = re.match(r" ([\d,]+)( KiB)?", most).groups()  # type: ignore[union-attr]
    return int(number.replace(",", "")) * (1024 if unit else 1), beyond.split("`")[1]


@pytest.mark.parametrize("row", CASES)
async def test_it_is_taken_up_to_the_limit_and_refused_beyond(ada: Person, row: str) -> None:
    name, members, limit = CASES[row]
    most, code = _said(row)
    assert most == limit
    room = await ada.group() if name in ("messages.send", "rooms.change") else None
    fields = {} if room is None else {"room": room}
    await ada.do(name, **fields, **members(limit))
    with pytest.raises(Refusal) as refused:
        await ada.do(name, **fields, **members(limit + 1))
    assert refused.value.code == code
