"""Who the nicks of a channel become, and what itself: ids that every import derives alike, and names. Pure."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from uuid import UUID

from events.core.clock import to_datetime
from events.core.visible_text import unlike_a_name
from producers.limits import NAME_CHARS
from producers.names import IMPORTED, reserved

_USERNAME = re.compile(r"[A-Za-z0-9_-]{3,50}")
_FORBIDDEN = re.compile(r"[^A-Za-z0-9_-]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_SLUG = re.compile(r"[^a-z0-9]+")


def user_id(secret: str, nick: str) -> str:
    """The id of a nick's user, of UUIDv4's form. ``secret`` is the installation's: nobody else can foresee the id."""
    digest = hmac.new(bytes.fromhex(secret), f"irc nick {nick}".encode(), hashlib.sha256).digest()
    return str(UUID(bytes=digest[:16], version=4))


def usernames(nick: str) -> list[str]:
    """Usernames to try in turn: the nick where the rule for usernames allows it, then one made unlike all others.

    Nicks that differ in case only are different people here, but cannot have the same username. None is called as
    imports call what is their own, or as nobody is.
    """
    kept = _FORBIDDEN.sub("", nick)[:35]
    if not kept.strip("-_") or kept.lower().startswith(IMPORTED):
        kept = f"nick-{kept}".rstrip("-")
    made = f"{kept}-{hashlib.sha256(nick.encode()).hexdigest()[:8]}"
    free = _USERNAME.fullmatch(nick) and nick.strip("-_") and not reserved(nick)
    return [nick, made] if free else [made]


def shown_name(name: str, username: str) -> str:
    """What people see of a nick or channel: itself where it may be a name."""
    return username if unlike_a_name(name) else name


def account_name(room: str) -> str:
    """The username of the account that owns a channel's room: the room's id, cut where that is too long for one."""
    return room if len(room) <= 50 else f"{room[:41]}-{hashlib.sha256(room.encode()).hexdigest()[:8]}"


def room_id(channel: str) -> str:
    """The id of a channel's room: ``#ubuntu`` -> ``irc-ubuntu``. Channel names have no case."""
    slug = channel.lower().removeprefix("#")
    kept = _NO_SLUG.sub("-", slug).strip("-")[:80].strip("-")
    # Where something had to be replaced, two channels must not become one room.
    digest = "" if kept == slug else hashlib.sha256(slug.encode()).hexdigest()[:8]
    return "-".join(part for part in ("irc", kept, digest) if part)


def room_name(channel: str) -> str:
    """The name of a channel's room: the channel's, cut to what a name holds; the room's id where that is no name."""
    name = unicodedata.normalize("NFC", channel)[:NAME_CHARS]
    return room_id(channel) if unlike_a_name(name) else name


def message_id(room: str, key: str, time: str) -> str:
    """The id of an imported message: a UUIDv7 of its time, the rest derived from what names its line."""
    stamp = (to_datetime(time) - _EPOCH) // timedelta(milliseconds=1)
    digest = hashlib.sha256(f"{room} {key}".encode()).digest()
    value = (stamp << 80) | int.from_bytes(digest[:10])
    value = value & ~(0xF << 76) | (7 << 76)
    # By hand, as each message has one, three times: a third of what UUID and its str take.
    text = f"{value & ~(0x3 << 62) | (2 << 62):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
