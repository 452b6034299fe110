"""What is to be ordered for a set of logs: pure. Every order is one that changes something, so that its key is kept.

An order that came to nothing leaves no trace in the log; given again later, it might do something. So a join of
somebody who is in, and the same new nick twice, become no orders. Whoever says something, leaves or changes their nick
was in the channel: where the logs do not show them coming, they come just before; so do those who become ops.

In IRC an op is one until they leave: a leaving ends the role here too, a change of nick takes it along, and who joins
again without having been seen to leave comes as an ordinary member. Only its owner may change roles in a room, so the
account that owns the room does it; who did it in IRC stands in the line that the order's key names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from infra.ops.irc.lines import EMPTY, OWN, Came, LogTarget, Ops, Renamed, Skipped, Spoken, Topic, Went, What, clean
from infra.ops.irc.logs import LogLine, LogPart
from infra.ops.irc.orders import ImportOrder, Piece, label, part_key
from infra.ops.irc.people import message_id, room_id

__all__ = ["MESSAGE", "TOPIC", "ImportOrder", "ImportPlan", "Piece"]

#: Characters of one message that the API takes; a longer line becomes several messages.
MESSAGE = 2000
#: Characters of a room's topic line; of a longer topic the rest is lost.
TOPIC = 400
#: What is no control character to IRC, and that the API takes in no line.
_UNLINED = str.maketrans(dict.fromkeys("\t\x85\u2028\u2029", " "))

#: What is counted, in the order in which people read it.
_THINGS = (
    "messages", "of them actions", "joins", "leavings", "of them put out", "changes of nick", "roles given",
    "roles taken", "topics",
)  # fmt: skip
_UNCLEAN = "control characters and colour codes taken out"


class ImportPlan:
    """What a channel's logs become, as far as they were added. ``people``: nick -> time of its first line."""

    def __init__(self, channel: str, user: Callable[[str], str]) -> None:
        """``user`` gives a nick's user id."""
        self.channel = channel
        self.room = room_id(channel)
        self.people: dict[str, str] = {}
        #: How many lines each person said.
        self.said: Counter[str] = Counter()
        self.lines, self.pieces = 0, 0
        self.files: dict[str, None] = {}
        #: Times of the first line and of the last, of those of which something comes.
        self.span: tuple[str, str] | None = None
        #: How many of each thing the logs become: ``messages``, ``joins`` ...
        self.counts: Counter[str] = Counter(dict.fromkeys(_THINGS, 0))
        #: Lines that become nothing, by reason.
        self.skipped: Counter[str] = Counter()
        #: The first of these lines, by reason: name of the file, number.
        self.examples: dict[str, tuple[str, int]] = {}
        #: Lines that were imported, but not as they stand.
        self.changed: Counter[str] = Counter()
        self._user = user
        #: In the place of a nick, for orders by the room's owner. No nick holds a blank, so no person gets this id.
        self._owner = f"channel {channel}"
        self._inside: set[str] = set()
        self._ops: set[str] = set()
        self._topic_line: str | None = None
        self._known_as: dict[str, str] = {}

    def add(self, part: LogPart) -> Piece:
        """Plans the next lines; files come in the order of time."""
        piece = Piece(part)
        prefix = f"{self.room}:{label(part.name)}"
        for line in part.lines:
            self._line(piece, line, f"{prefix}:{line.number}")
            piece.numbers += [line.number] * (len(piece.room) - len(piece.numbers))
        if part.damaged:
            self.changed["not UTF-8: what could not be read became U+FFFD"] += part.damaged
        if part.back:
            self.changed["of an earlier time than the line above: got the time of that"] += part.back
        self.files[part.name] = None
        self.lines, self.pieces = self.lines + len(part.lines), self.pieces + 1
        times = [line.time for line in part.lines if not isinstance(line.what, Skipped | LogTarget)]
        if times:
            self.span = (self.span or (times[0], ""))[0], times[-1]
        return piece

    def _line(self, file: Piece, line: LogLine, key: str) -> None:
        what = self._of_this_channel(line.what)
        match what:
            case Skipped():
                self.skipped[what.reason] += 1
                self.examples.setdefault(what.reason, (file.name, line.number))
            case LogTarget():
                self.skipped[OWN.reason] += 1
            case Spoken():
                self._say(file, line.time, key, what)
            case Came():
                came = self._come(file, line.time, key, what.nick)
                if not self._set_op(file, line.time, key, what.nick, False) and not came:
                    self.skipped["joined, but was in already (the logs show no quits)"] += 1
            case Went():
                self._go(file, line.time, key, what.nick)
                self.counts["of them put out"] += what.kicked
            case Renamed():
                self._rename(file, line.time, key, what)
            case Ops():
                self._set_ops(file, line.time, key, what)
            case Topic():
                self._set_topic_line(file, line.time, key, what)

    def _of_this_channel(self, what: What) -> What:
        if isinstance(what, Came | Went | Ops | Topic) and (what.channel or self.channel).lower() != self.channel:
            return Skipped(f"about another channel than {self.channel}")
        return what

    def _say(self, file: Piece, time: str, key: str, said: Spoken) -> None:
        text = clean(said.text)
        if not text.strip():
            self.skipped[EMPTY.reason] += 1
            return
        if text != said.text:
            self.changed[_UNCLEAN] += 1
        self._come(file, time, key, said.nick)
        self.said[said.nick] += 1
        texts = [text[i : i + MESSAGE] for i in range(0, len(text), MESSAGE)]
        if len(texts) > 1:
            self.changed[f"longer than {MESSAGE} characters: became several messages"] += 1
        for n, part in enumerate(texts):
            token = part_key(key, n)
            fields = {"room": self.room, "token": token, "type": said.type, "content": {"text": part}}
            file.messages.append(len(file.room))
            id = message_id(self.room, token, time)
            file.room.append(self._order("PostMessage", fields, said.nick, time, token, id))
            self.counts["messages"] += 1
            self.counts["of them actions"] += said.type == "action"

    def _come(self, file: Piece, time: str, key: str, nick: str) -> bool:
        """Lets a nick in; False for one who is in already."""
        self.people.setdefault(nick, time)
        if nick in self._inside:
            return False
        self._inside.add(nick)
        fields = {"room": self.room, "user": self._user(nick)}
        file.room.append(self._order("AddMember", fields, nick, time, key))
        self.counts["joins"] += 1
        return True

    def _go(self, file: Piece, time: str, key: str, nick: str) -> None:
        self._come(file, time, key, nick)
        self._inside.remove(nick)
        self._ops.discard(nick)
        fields = {"room": self.room, "user": self._user(nick)}
        file.room.append(self._order("RemoveMember", fields, nick, time, key))
        self.counts["leavings"] += 1

    def _rename(self, file: Piece, time: str, key: str, renamed: Renamed) -> None:
        if renamed.nick == renamed.to:
            self.skipped["took the same nick again"] += 1
            return
        op = renamed.nick in self._ops
        self._go(file, time, key, renamed.nick)
        if not self._come(file, time, key, renamed.to):
            self.skipped["took a nick that was in already: only the old one leaves"] += 1
        self._set_op(file, time, key, renamed.to, op)
        self.counts["changes of nick"] += 1
        if self._known_as.get(renamed.nick) != renamed.to:
            self._known_as[renamed.nick] = renamed.to
            fields = {"user": self._user(renamed.nick), "data": {"now_known_as": renamed.to}}
            file.profiles.append(self._order("ChangeProfile", fields, renamed.nick, time, key))

    def _set_ops(self, file: Piece, time: str, key: str, ops: Ops) -> None:
        changed = [self._set_op(file, time, part_key(key, n), nick, op) for n, (nick, op) in enumerate(ops.changes)]
        if not any(changed):
            self.skipped["change of ops that was so already, as far as the logs show"] += 1

    def _set_op(self, file: Piece, time: str, key: str, nick: str, op: bool) -> bool:
        """Makes somebody an op, or takes that back; False where it is so already."""
        if op == (nick in self._ops):
            return False
        self._come(file, time, key, nick)
        if op:
            self._ops.add(nick)
        else:
            self._ops.remove(nick)
        fields = {"room": self.room, "user": self._user(nick), "role": "admin" if op else "member"}
        file.room.append(self._order("ChangeRole", fields, self._owner, time, key))
        self.counts["roles given" if op else "roles taken"] += 1
        return True

    def _set_topic_line(self, file: Piece, time: str, key: str, topic: Topic) -> None:
        text = clean(topic.text)
        line = text.translate(_UNLINED).strip()
        topic_line = line[:TOPIC].rstrip() or None
        if topic_line == self._topic_line:
            self.skipped["topic that was set already"] += 1
            return
        if text != topic.text:
            self.changed[_UNCLEAN] += 1
        if len(line) > TOPIC:
            self.changed[f"topic of more than {TOPIC} characters: the rest is lost"] += 1
        self._topic_line = topic_line
        by = topic.nick if topic.nick in self._ops else self._owner
        file.room.append(self._order("ChangeRoom", {"room": self.room, "topic_line": topic_line}, by, time, key))
        self.counts["topics"] += 1

    def _order(
        self, command: str, fields: dict[str, Any], nick: str, time: str, key: str, id: str | None = None
    ) -> ImportOrder:
        return ImportOrder(command=command, fields=fields, actor=self._user(nick), time=time, key=key, id=id)

    @property
    def account(self) -> str:
        """The user id of the room's owner."""
        return self._user(self._owner)

    @property
    def inside(self) -> int:
        """How many are in the room at the end."""
        return len(self._inside)
