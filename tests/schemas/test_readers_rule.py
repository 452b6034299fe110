"""The filters that the documentation offers for plain tools do what Klatsch's own readers do.
Tests ``infra/ops/generate/topics.py`` and ``events/core/log.py``."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.core.log import TermFilter, opened_headers, term_headers
from infra.ops.generate.files import ROOT
from infra.ops.generate.topics import FILTER, JQ_FILTER

ANALYSTS_PAGE = ROOT / "docs" / "howto" / "read-the-topics.md"


class Seen(NamedTuple):
    """A record as a consumer gives it."""

    topic: str
    partition: int
    offset: int
    headers: tuple[tuple[str, bytes], ...]


@st.composite
def logs(draw: st.DrawFn) -> list[Seen]:
    """Partitions in which owners follow one another, and old ones go on writing. In order within a partition."""
    records: list[Seen] = []
    for partition in range(draw(st.integers(1, 2))):
        terms: list[int] = []
        for offset in range(draw(st.integers(1, 12))):
            if not terms or draw(st.integers(0, 3)) == 0:
                terms.append(offset)
                headers = opened_headers()
            else:
                headers = term_headers(draw(st.sampled_from(terms)))
            records.append(Seen("rooms", partition, offset, tuple(headers)))
    return records


def admitted(records: list[Seen]) -> list[tuple[int, int]]:
    """Partition and offset of what Klatsch's readers take."""
    filters: dict[int, TermFilter] = {}
    return [
        (one.partition, one.offset)
        for one in records
        if filters.setdefault(one.partition, TermFilter()).admits(one.offset, one.headers)
    ]


@given(logs())
def test_the_python_filter(records: list[Seen]) -> None:
    names: dict[str, Any] = {}
    exec(FILTER, names)
    assert [(one.partition, one.offset) for one in records if names["valid"](one)] == admitted(records)


@settings(max_examples=15)
@given(logs())
def test_the_jq_filter(records: list[Seen]) -> None:
    if shutil.which("jq") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("this test needs jq")
        pytest.skip("this test needs jq")
    lines = [
        json.dumps(
            {
                "partition": one.partition,
                "offset": one.offset,
                "headers": [text for name, value in one.headers for text in (name, value.decode())],
            }
        )
        for one in records
    ]
    done = subprocess.run(["jq", "-cn", JQ_FILTER], input="\n".join(lines), capture_output=True, text=True, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(one["partition"], one["offset"]) for one in found] == admitted(records)


def test_the_analysts_page_has_the_same_filters() -> None:
    text = ANALYSTS_PAGE.read_text()
    assert FILTER in text
    assert JQ_FILTER in text
