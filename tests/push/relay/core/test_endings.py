"""What clients are told of endings stands on one page, whole and true. Tests ``push/relay/core/endings.py`` and
``docs/reference/connect.md``."""

from __future__ import annotations

import re
from pathlib import Path

from push.relay.core.closes import CODES
from push.relay.core.limits import RelayLimits

ROOT = Path(__file__).resolve().parents[4]
PAGE = (ROOT / "docs/reference/connect.md").read_text("utf-8")
#: Of calls that no member makes.
_OF_OTHERS = {"invalid", "channel_in_use", "channels_full"}


def rows() -> dict[str, tuple[int, set[str]]]:
    """By status: its code, and the types of the table."""
    found = re.findall(r"^\| `([A-Z_]+)` \| (\d{4}) \| (.*?) \|", PAGE, re.M)
    return {status: (int(code), set(re.findall(r"`(\w+)`", types))) for status, code, types in found}


def test_every_status_has_its_code() -> None:
    assert {status: code for status, (code, _) in rows().items()} == CODES


def test_every_type_that_a_member_is_told_is_there() -> None:
    """As the sources name them: words that are in small letters, beside a status or as an argument."""
    sources = "\n".join(path.read_text("utf-8") for path in (ROOT / "push/relay").rglob("*.py"))
    named = set(re.findall(r'"(?:[A-Z_]+)",\s*"([a-z_]+)"', sources))
    named |= set(re.findall(r'_invalid\(\s*"([a-z_]+)"', sources)) | set(
        re.findall(r'"((?:channel_)?token_\w+)"', sources)
    )
    assert len(named) > 10
    assert named - _OF_OTHERS == {type for _, types in rows().values() for type in types}


def test_limits_are_those_of_the_relay() -> None:
    limits = RelayLimits()
    for words in (
        f"{limits.frames_second} messages and {limits.bytes_second // 1024} KiB a second",
        f"at most {limits.queue_frames} frames and {limits.queue_bytes // 1024} KiB wait",
        f"up to {limits.frame_bytes // 1024} KiB",
        f"within {limits.token_seconds:g} seconds",
        f"good there for {limits.ticket_seconds:g} seconds",
    ):
        assert words in PAGE
