"""Close codes and reasons: one for each of gRPC's statuses that a relay has, and never too long."""

from __future__ import annotations

import json
import re
from pathlib import Path

import grpc
import pytest

from push.relay.core import closes, endings
from push.relay.core.closes import CODES, REASON_BYTES, reason
from push.relay.core.endings import Ending

RELAY = Path(closes.__file__).parents[1]


def test_the_code_is_4000_and_the_number_of_grpc_s_status() -> None:
    numbers = {name: grpc.StatusCode[name].value[0] for name in CODES}
    assert {name: 4000 + number if number else 1000 for name, number in numbers.items()} == CODES


def test_every_status_that_a_relay_names_has_a_code() -> None:
    named = {
        found
        for path in RELAY.rglob("*.py")
        for found in re.findall(r'"([A-Z_]{2,})"', path.read_text("utf-8"))
        if found in grpc.StatusCode.__members__
    }
    assert named == CODES.keys()


def test_a_reason_has_type_detail_and_what_was_lost() -> None:
    assert json.loads(reason(endings.DELETED, 3)) == {
        "type": "channel_deleted", "dropped": 3, "detail": "the channel was deleted",
    }  # fmt: skip
    assert json.loads(reason(endings.QUIT, 0)) == {"type": "quit", "dropped": 0}


@pytest.mark.parametrize(
    "letter", ["x", "ü", '"', "\\", "🎉", "\n"], ids=["ascii", "umlaut", "quote", "slash", "emoji", "line"]
)
def test_it_fits_in_a_close_frame_whatever_the_detail(letter: str) -> None:
    text = reason(Ending("UNAUTHENTICATED", "channel_token_outdated", letter * 500), 10**12)
    assert len(text.encode()) <= REASON_BYTES
    assert set(json.loads(text).get("detail", letter)) <= set(letter)
    assert json.loads(text)["dropped"] == 10**12
