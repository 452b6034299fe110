"""Answers of the API as its callers in this installation read them."""

from __future__ import annotations

from typing import Any

import msgspec


def detail(content: bytes) -> str:
    """What a problem document (RFC 9457) says in its detail; of anything else its beginning."""
    try:
        return str(msgspec.json.decode(content, type=dict[str, Any]).get("detail", ""))
    except msgspec.DecodeError:
        return content[:200].decode(errors="replace")
