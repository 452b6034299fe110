"""``docs/reference/limits.md``: how much, how many and how often, on one page, and what is answered beyond it."""

from __future__ import annotations

from typing import Any, get_args

import msgspec

from api import app_users, credentials, emotions, imports, messages, presence, search
from api.core import calls, moments
from api.core.limits import LimitName
from api.support import ids, pages
from events.core import feed
from infra.base import disk
from infra.base.settings import Quota, Settings, quota
from infra.ops.generate import comments
from infra.ops.generate.reference.markdown import code, page, table
from producers import channels, emails, limits, rooms
from producers import messages as said
from projectors.audience import CONTACT_ROOM
from push.delivery import peers, pull
from push.presence import presence_hub, signal_planner
from push.protocol import codes, frames, session, timers
from push.transports import heads

#: A limit: of what, how much, what is answered or done beyond it.
Row = tuple[str, str, str]

_INTRO = """\
What is beyond a limit is refused whole, and nothing has happened; nothing is cut off silently. Where a variable stands,
it is an operator's [setting](settings.md), shown with its default. Codes are those of [problems](problems.md), numbers
those of [push](push.md). Characters are Unicode code points, bytes those of the JSON as it is kept."""

_DEFAULTS = Settings()


def page_text() -> str:
    """The page of limits."""
    head = ("of what", "at most", "beyond it")
    parts = [_INTRO]
    for title, about, rows in (
        ("What is sent", "", _sent()),
        ("What there may be", "There is no limit on messages, rooms, members of a room, sessions or users.", _kept()),
        ("What is answered", "Lists go on at `next`: no list ends because it is long.", _answered()),
        ("How often", _RATES, _rates()),
        ("Connections", "", _connections()),
        ("Live channels", _LIVE, _live()),
        ("Time", "", _times()),
    ):
        parts += [f"## {title}", about, table(head, rows)]
    return page("Limits", *parts)


def _longest(annotated: Any) -> int:
    """The greatest length that a type allows, as its schema shows it."""
    metas = [one for one in get_args(annotated) if isinstance(one, msgspec.Meta)]
    (most,) = filter(None, ((one.extra_json_schema or {}).get("maxLength", one.max_length) for one in metas))
    return int(most)


def _most(annotated: Any) -> int:
    (most,) = [one.le for one in get_args(annotated) if isinstance(one, msgspec.Meta) and one.le is not None]
    return int(most)


def _size(count: int) -> str:
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if count >= unit and count % unit == 0:
            return f"{count // unit:,} {name}"
    return f"{count:,} bytes"


def _set(name: str, value: str | None = None, unit: str = "") -> str:
    """A setting with its default."""
    shown = f"{getattr(_DEFAULTS, name):,.0f}{unit}" if value is None else value
    return f"{shown} ({code(f'KLATSCH_{name.upper()}')})"


def _ends(disconnect: codes.Disconnect) -> str:
    return f"the connection ends with {disconnect.code}"


def _chars(annotated: Any) -> str:
    return f"{_longest(annotated):,} characters"


def _problem(name: str) -> str:
    return f"[`{name}`](problems.md#{name})"


def _sent() -> list[Row]:
    invalid, large = _problem("invalid"), _problem("too_large")
    return [
        ("a request body, a frame to the server", _set("body_bytes", _size(_DEFAULTS.body_bytes)),
         f"{large}; {_ends(codes.bad_request('too large'))}"),
        ("a body of `import.orders`", f"{_size(imports.BODY_BYTES)}, {imports.ORDERS:,} orders", f"{large}, {invalid}"),
        ("the head of a request", f"{_size(heads.BYTES)}, {heads.LINES} lines", _problem("head_too_large")),
        ("nesting of JSON", f"{limits.DEPTH} levels", invalid),
        ("text of a message", _chars(said.Text), invalid),
        ("address of an image or a file", _chars(said.Url), invalid),
        ("`content` of a message", _size(limits.CONTENT_BYTES), large),
        ("`data` of a message", _size(limits.METADATA_BYTES), large),
        ("`client_id`, `Idempotency-Key`", _chars(limits.Token), invalid),
        ("a username", "3 to 50 characters of `A-Z a-z 0-9 _ -`", invalid),
        ("a name that is shown (of a person, a room)", _chars(limits.ShownName), invalid),
        ("a body of `users.upsert`", f"{_size(app_users.BODY_BYTES)}, {app_users.USERS} users", f"{large}, {invalid}"),
        ("what a device calls itself (`device_id`)", _chars(limits.DeviceId), invalid),
        ("what an application calls a user (`external_id`)", _chars(limits.ExternalId), invalid),
        ("a person's avatar", _chars(limits.Avatar), invalid),
        ("what a person says of themselves (`bio`)", _chars(limits.Bio), invalid),
        ("a reason that operators give", _chars(limits.Reason), invalid),
        ("an e-mail address", f"{emails.LONGEST} characters", invalid),
        ("a password", f"{_longest(credentials.Password)} characters, and at least "
         f"{_set('password_chars')}", invalid),
        ("id of a room that you choose", _chars(limits.Slug), invalid),
        ("description of a room", _chars(limits.Description), invalid),
        ("topic line of a room", f"{_chars(limits.TopicLine)}, in one line", invalid),
        ("`data` of a person or a room",
         f"{limits.DATA_ENTRIES} entries; keys of {_longest(limits.DataKey)} characters, values of "
         f"{_longest(limits.DataValue):,}", f"{invalid}; a change that would make it larger: {large}"),
        ("`custom` of a person, a room or a member", _size(limits.CUSTOM_BYTES), large),
        ("the same: names in all, levels of objects and arrays",
         f"{limits.CUSTOM_NAMES} names of {limits.CUSTOM_NAME_CHARS} characters, {limits.CUSTOM_DEPTH} levels",
         f"{large}; a longer name, and more levels: {invalid}"),
        ("`model_data` of a visual", _size(limits.MODEL_BYTES), large),
        ("`emotion_data` of a visual", _size(limits.EMOTION_BYTES), large),
        ("members that a room is made with", f"{rooms.INITIAL_MEMBERS}; more are added one by one", invalid),
        ("emotions of one request", f"{emotions.EMOTIONS}", invalid),
        ("words to search for", f"{_longest(_field(search.SearchRequest, 'text'))} characters, "
         f"{_set('search_terms')} different ones", invalid),
        ("a part of a name to look for", _chars(pages.Query), invalid),
        ("ids that names are asked for", f"{ids.IDS} in one call", invalid),
        ("ids that presence is asked for", f"{ids.IDS} in one call", invalid),
        ("ids that visuals are asked for", f"{ids.IDS} in one call", invalid),
        ("`as_of`", f"{moments.MAX_CHARS:,} characters", invalid),
    ]  # fmt: skip


def _kept() -> list[Row]:
    many, full = _problem("too_many"), _problem("insufficient_storage")
    return [
        ("friends and blocked people of one person", _set("relationships"), many),
        ("invitations into one room that wait", _set("invitations_room"), many),
        ("invitations of one person that wait", _set("invitations_user"), many),
        ("invitations between two people that wait", _set("invitations_between"), many),
        ("connections of one person to a node", f"{peers.CONNECTIONS}", _ends(codes.TOO_MANY)),
        ("revisions of a message that are shown", f"{messages.REVISIONS}", "the latest; the log has all"),
        ("members of a room who are named in the feed one by one", f"{feed.NAMED_ROOM}",
         "the room is named, and each is told all the same"),
        ("members of a room who are told of changes of one another's profiles", f"{CONTACT_ROOM:,}",
         "a change is seen with the next read"),
        ("free room on a disk of Kafka or Postgres, below which only log-ins, renewals, log-outs, passwords and blocks "
         "are taken", _set("disk_floor", _size(_DEFAULTS.disk_floor)), full),
        ("the same, below which nothing is taken", f"{disk.RESERVE:.0%} of that", full),
    ]  # fmt: skip


def _answered() -> list[Row]:
    invalid = _problem("invalid")
    return [
        ("entries of a list, `limit`", f"{_most(pages.Limit)}", invalid),
        ("deltas of a page of `changes.pull`", f"{pull.MAX_LIMIT:,}", invalid),
        ("deltas of a `history` command", f"{session.HISTORY_LIMIT:,}", "so many are given"),
        ("a page of a snapshot", _set("snapshot_bytes", _size(_DEFAULTS.snapshot_bytes)),
         "`next` names the following page; one entry that is larger comes alone"),
        ("a frame from the server", f"{_size(frames.FRAME_BYTES)}, or one publication", "several frames"),
        ("messages that a search looks at", _set("search_messages"), "the page is short, `next` goes on"),
        ("places that a search shows in a message", _set("search_highlights"), "the first ones"),
        ("people that the presence of a room names", f"{presence.ONLINE:,}", "the count says how many there are"),
        ("watchers that are named", f"{signal_planner.WATCHERS}", "the count says how many there are"),
    ]  # fmt: skip


_RATES = """\
Counted by account, and all together by application (`KLATSCH_LIMIT_APP`, or what its plan says), or by address where no
token is needed. Processes tell each other what was taken, so that it is nearly one limit for all of them ([how
close](../decisions/0078-limits-of-all-processes-together.md)); wrong passwords each counts for itself. Operators are
not counted. `KLATSCH_LIMITS=false` switches them off, except those of wrong passwords. Which limit an operation counts
against stands at [each of them](commands.md). 500/10 means 500 at once, and as many again in 10 s.

Over HTTP every answer of an operation, and of `GET /v1/stream`, says in `RateLimit-Policy` and `RateLimit` what it
counted against and what is left: `r` calls now, and all of it again in `t` seconds. Over RPC, and where a connection is
refused, only a refusal does, in its problem: `limit`, `most`, `used`, `reset`, `retry_after`."""


def _rates() -> list[Row]:
    words = comments.fields(Settings)
    limited = f"{_problem('rate_limited')}, with `Retry-After`"
    names = [f"limit_{name}" for name in get_args(LimitName)] + [
        "limit_app",
        "limit_guesses", "limit_guesses_address", "limit_guesses_name",
    ]  # fmt: skip
    rows = [(_first(words[name]), _rate(name, quota(getattr(_DEFAULTS, name))), limited) for name in names]
    signals = (
        "Signals (typing, presence) of one connection, over HTTP of one person.",
        f"{presence_hub.RATE} a second",
    )
    return [
        *rows,
        (*signals, _problem("rate_limited")),
        ("API keys sent from one address that a process does not know and looks for; and from all addresses.",
         f"{_often(calls.KEY_LOOKUPS)}; {_often(calls.ALL_KEY_LOOKUPS)}", _problem("overloaded")),
        ("Snapshots, searches and reads of the past that one person has under way at once.", _set("heavy_reads_user"),
         f"they wait {_set('heavy_seconds', unit=' s')} for a turn, then {_problem('overloaded')}"),
    ]  # fmt: skip


def _rate(name: str, found: Quota) -> str:
    return _set(name, _often(found))


def _often(found: Quota) -> str:
    return f"{found.most}/{found.seconds}"


def _first(words: str) -> str:
    return words.partition(", as `<most>")[0].rstrip(".") + "."


def _connections() -> list[Row]:
    return [
        ("commands of a connection that are under way", f"{session.PENDING}", f"error {codes.TOO_MANY_REQUESTS.code}"),
        ("deltas that wait for a slow client", _set("push_queue"), f"{_ends(codes.SLOW)}; it resumes without a gap"),
        ("connections of a process; 0: as many as it has descriptors for", _set("connections"), _problem("overloaded")),
        ("connections of one address without a token", _set("strangers"), _problem("overloaded")),
        ("frames, bytes before the token is found good",
         f"{_set('early_frames')}, {_set('early_bytes', _size(_DEFAULTS.early_bytes))}", _ends(codes.TOO_MUCH_EARLY)),
        ("control frames and fragments a second", _set("control_frames"), _ends(codes.TOO_MANY_FRAMES)),
    ]  # fmt: skip


_LIVE = """\
[Over gRPC](../howto/live-channels.md#when-it-is-refused) a refusal is a status; words in capitals are the `reason` of
its `ErrorInfo`."""


def _live() -> list[Row]:
    cut = "the member is cut off"
    return [
        ("name of a live channel", _chars(channels.ChannelName), _problem("invalid")),
        ("members of a live channel, `limit`", f"{channels.CHANNEL_USERS}",
         f"{_problem('invalid')}; who comes to a full one: {_problem('too_many')}"),
        ("listens of one user", f"one in {channels.LISTEN_SECONDS:g} s", _problem("rate_limited")),
        ("time of a channel token from the relay's, either way", _set("channel_token_seconds", unit=" s"),
         f"`TOKEN_EXPIRED`, `TOKEN_NOT_YET_VALID`; {_problem('token_expired')}"),
        ("calls of one address that have not sent their request, health and reflection to their end",
         _set("strangers"), _problem("overloaded")),
        ("the request of a call", _set("body_seconds", unit=" s"), _problem("too_slow")),
        ("live channels of one relay", _set("channel_server_channels"), f"`CHANNELS_FULL`; {_problem('unavailable')}"),
        ("members of one relay", _set("channel_server_members"), "`OVERLOADED`"),
        ("`data` of a frame", _set("channel_frame_bytes", _size(_DEFAULTS.channel_frame_bytes)),
         f"`FRAME_TOO_LARGE`, {cut}"),
        ("frames a second of one member, and at once", _set("channel_frames_second"), f"`RATE_LIMITED`, {cut}"),
        ("bytes a second of one member, and at once",
         _set("channel_bytes_second", _size(_DEFAULTS.channel_bytes_second)), f"`RATE_LIMITED`, {cut}"),
        ("frames, bytes that wait for a member",
         f"{_set('channel_queue_frames')}, {_set('channel_queue_bytes', _size(_DEFAULTS.channel_queue_bytes))}",
         "the oldest are lost; the trailing metadata `frames-dropped` says how many"),
    ]  # fmt: skip


def _times() -> list[Row]:
    return [
        ("life of a token", _set("session_seconds", unit=" s"), f"{_problem('token_expired')}; renew it before"),
        ("a command", _set("command_seconds", unit=" s"), f"{_problem('unknown')}: repeat it with the same key"),
        ("a read that waits for a position, or for your own writes", f"{calls.POSITION_SECONDS:.0f} s",
         _problem("lagging")),
        ("the head of a request", _set("head_seconds", unit=" s"), _problem("too_slow")),
        ("the body of a request",
         f"{_set('body_seconds', unit=' s')}, and 1 s for each {_set('body_rate', unit=' bytes')}",
         _problem("too_slow")),
        ("a connection without a connect command", f"{timers.CONNECT_SECONDS:.0f} s", _ends(codes.STALE)),
        ("an answer to a ping", f"{timers.PONG_SECONDS:.0f} s", _ends(codes.NO_PONG)),
        ("the feed, from which clients resume", _set("feed_hours", unit=" h"), "a snapshot comes first"),
        ("log, messages, rooms", "for ever", "old months can be [put aside](../howto/archive-months.md)"),
    ]  # fmt: skip


def _field(struct: Any, name: str) -> Any:
    """The type of a struct's field, with what its annotation says."""
    (found,) = [one.type for one in msgspec.structs.fields(struct) if one.name == name]
    return found
