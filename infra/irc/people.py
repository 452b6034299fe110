"""Who the nicks of a channel become: ids that every import derives alike, and usernames. Pure."""

from __future__ import annotations

import hashlib
import hmac
import re
from uuid import UUID

from events.clock import to_datetime

_USERNAME = re.compile(r"[A-Za-z0-9_-]{3,50}")
_FORBIDDEN = re.compile(r"[^A-Za-z0-9_-]")


def user_id(secret: str, nick: str) -> str:
    """The id of a nick's user, of UUIDv4's form. ``secret`` is the installation's: nobody else can foresee the id."""
    digest = hmac.new(bytes.fromhex(secret), f"irc nick {nick}".encode(), hashlib.sha256).digest()
    return str(UUID(bytes=digest[:16], version=4))


def usernames(nick: str) -> list[str]:
    """Usernames to try in turn: the nick where the rule for usernames allows it, then one made unlike all others.

    Nicks that differ in case only are different people here, but cannot have the same username.
    """
    digest = hashlib.sha256(nick.encode()).hexdigest()[:8]
    made = f"{_FORBIDDEN.sub('', nick)[:40] or 'irc'}-{digest}"
    return [nick, made] if _USERNAME.fullmatch(nick) else [made]


def room_id(channel: str) -> str:
    """The id of a channel's room: ``#ubuntu`` -> ``irc-ubuntu``. Channel names have no case."""
    slug = channel.lower().lstrip("#&+!")
    kept = _FORBIDDEN.sub("-", slug)[:80]
    # Where something had to be replaced, two channels must not become one room.
    return f"irc-{kept}" if kept == slug else f"irc-{kept}-{hashlib.sha256(slug.encode()).hexdigest()[:8]}"


def message_id(room: str, key: str, time: str) -> str:
    """The id of an imported message: a UUIDv7 of its time, the rest derived from what names its line."""
    stamp = int(to_datetime(time).timestamp() * 1000)
    digest = hashlib.sha256(f"{room} {key}".encode()).digest()
    value = (stamp << 80) | int.from_bytes(digest[:10])
    value = value & ~(0xF << 76) | (7 << 76)
    return str(UUID(int=value & ~(0x3 << 62) | (2 << 62)))
