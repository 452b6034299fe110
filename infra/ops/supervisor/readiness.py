"""What a role says of itself at ``/readyz``, in words."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any

import orjson


def ask(address: str, path: str, token: str | None) -> urllib.request.Request:
    """A request to a part; with an operator's token it is told what others may not see (KLATSCH_METRICS)."""
    return urllib.request.Request(address + path, headers={"Authorization": f"Bearer {token}"} if token else {})


def waits(address: str) -> str:
    """What the part says that it waits for and then goes on by itself, as ``room on the disk``; empty: nothing."""
    try:
        with urllib.request.urlopen(ask(address, "/readyz", None), timeout=3):
            return ""
    except urllib.error.HTTPError as error:
        with error:
            return waited(error.read(100_000))
    except (OSError, ValueError):
        # It does not answer: whoever asks whether it is ready says so.
        return ""


def waited(body: bytes) -> str:
    """The same of the document of ``/readyz``: its member ``waits``, which also those may see who have no token."""
    try:
        return str(orjson.loads(body).get("waits") or "")
    except (ValueError, AttributeError):
        return ""


def readiness(address: str, token: str | None) -> tuple[bool, str]:
    """What ``/readyz`` says: whether all is well, and if not, in words what is not."""
    try:
        with urllib.request.urlopen(ask(address, "/readyz", token), timeout=3) as answer:
            return answer.status == 200, ""
    except urllib.error.HTTPError as error:
        with error:
            return False, words(error.read(100_000))
    except (OSError, ValueError) as error:
        return False, f"does not answer at {address}: {getattr(error, 'reason', error)}"


def words(body: bytes) -> str:
    """What is not well, by the document of ``/readyz``: ``Kafka does not answer; shards: 2 of 24 are open``."""
    try:
        parts = orjson.loads(body).get("parts") or {}
        found = [_named(name, _why(part)) for name, part in parts.items() if not part.get("ok")]
    except (ValueError, AttributeError):
        return f"expected the document of /readyz, got {body[:200].decode(errors='replace').strip()!r}"
    return "; ".join(found) or "it says that it is not ready, and to whom has no token not why"


def _named(name: str, why: str) -> str:
    """With the part's name, unless the words begin with it."""
    return why if why.lower().startswith(f"{name} ") else f"{name}: {why}"


def _why(part: dict[str, Any]) -> str:
    if part.get("error"):
        return " ".join(str(part["error"]).split()).removesuffix(":")
    if "open" in part and "owned" in part:
        return f"{part['open']} of {part['owned']} are open"
    return str(part.get("state") or "not ready")
