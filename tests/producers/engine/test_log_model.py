"""The log's protocol as a model, explored exhaustively: what is acknowledged is valid for every reader, exactly once.
Tests ``producers/engine/log.py``.

The model has one shard, some *sessions* and some commands. A session is one opening of the shard: an owner that opens
again after a fault is the next session, and so is another process; which of the two makes no difference to the log.
Clients may give any command to any open session at any time, and again after it was acknowledged.

Anything may happen in any order: each step is one of

- ``open``: a session sends its ``log.opened``;
- ``deliver``: a request that was sent at any time before arrives, and the broker appends it. One that never arrives is
  lost. A stopped process is one that takes no step for a while;
- ``deliver late``: the same when its owner waits for it no longer;
- ``repeat``: a request arrives once more, as a client's retry makes it do when the first answer got lost. The broker of
  an idempotent producer drops it, so this step exists only where idempotence is taken out;
- ``answer``: a session learns the base offset of its request. An answer that is never taken is lost;
- ``superseded``: the same, and contiguity is broken;
- ``give up``: a session waits no longer: time-out, produce error or crash. It decides nothing more;
- ``append``: an open session decides on commands that it does not know, and sends their events as one batch;
- ``known``: it acknowledges one that it has found in the log.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import combinations
from typing import NamedTuple

import pytest

from events.core.log import TermFilter, opened_headers, term_headers

#: Commands and how many events each becomes.
EVENTS = {"a": 1, "b": 2}


class Rules(NamedTuple):
    """What the protocol rests on; each can be taken out."""

    contiguity: bool = True
    term: bool = True
    idempotence: bool = True


class Entry(NamedTuple):
    """A record of the log. The one with command None is ``log.opened``."""

    command: str | None
    term: int


class Request(NamedTuple):
    """A batch under way. No commands: ``log.opened``."""

    session: int
    term: int
    commands: tuple[str, ...]


class Session(NamedTuple):
    """An owner's view: ``phase`` is new, opening, open, appending or over."""

    phase: str = "new"
    term: int = -1
    next: int = -1
    #: Commands in the batch that it waits for, and the answer once that stands ready.
    sent: tuple[str, ...] = ()
    answer: int | None = None
    #: Commands that it knows to be in the log, with the offset of their first event.
    known: frozenset[tuple[str, int]] = frozenset()


OVER = Session(phase="over")


class State(NamedTuple):
    log: tuple[Entry, ...] = ()
    sessions: tuple[Session, ...] = ()
    #: Requests that may still arrive for the first time, and for the second.
    network: frozenset[Request] = frozenset()
    repeats: frozenset[Request] = frozenset()
    #: What clients were told: command and offset.
    told: frozenset[tuple[str, int]] = frozenset()


Step = tuple[str, State]


@cache
def valid(log: tuple[Entry, ...], rules: Rules) -> tuple[tuple[str, int], ...]:
    """What every reader believes: commands and the offset of their first event."""
    believed: list[tuple[str, int]] = []
    reader = TermFilter()
    left = 0
    for offset, entry in enumerate(log):
        admitted = reader.admits(offset, opened_headers() if entry.command is None else term_headers(entry.term))
        if entry.command is None:
            continue
        if left:
            left -= 1
            continue
        left = EVENTS[entry.command] - 1
        if admitted or not rules.term:
            believed.append((entry.command, offset))
    return tuple(believed)


def violation(state: State, rules: Rules) -> str | None:
    """Why a state must not be, or None."""
    believed = valid(state.log, rules)
    commands = [command for command, _ in believed]
    if len(set(commands)) < len(commands):
        return f"a command stands twice: {list(believed)}"
    if not state.told <= set(believed):
        return f"acknowledged {sorted(state.told)}, but readers believe {list(believed)}"
    return None


def steps(state: State, rules: Rules) -> Iterator[Step]:
    """All that may happen next."""
    for index, session in enumerate(state.sessions):
        yield from own_steps(state, index, session, rules)
        if session.phase == "new":
            break  # sessions that have not begun are alike: only the first one may begin
    for request in state.network:
        after = arrive(state, request)._replace(network=state.network - {request})
        if not rules.idempotence:
            after = after._replace(repeats=state.repeats | {request})
        late = "late " if state.sessions[request.session].phase == "over" else ""
        yield f"deliver {late}{describe(request)}", after
    for request in state.repeats:
        yield f"repeat {describe(request)}", arrive(state, request)._replace(repeats=state.repeats - {request})


def own_steps(state: State, index: int, session: Session, rules: Rules) -> Iterator[Step]:
    """What one session may do next."""
    match session.phase:
        case "new":
            request = Request(index, -1, ())
            yield f"{index}: open", send(state, index, session._replace(phase="opening"), request)
        case "open":
            yield from decide(state, index, session)
        case "opening" | "appending":
            yield f"{index}: give up", replace(state, index, OVER)
            if session.answer is not None:
                after = take_answer(state, index, session, session.answer, rules)
                label = "superseded" if after.sessions[index] is OVER else "answer"
                yield f"{index}: {label} {session.answer}", after


def decide(state: State, index: int, session: Session) -> Iterator[Step]:
    """An open session gets commands: what it knows it acknowledges, the rest it appends in one batch."""
    known = dict(session.known)
    for command in EVENTS:
        if command in known and (command, known[command]) not in state.told:
            yield f"{index}: known {command}", state._replace(told=state.told | {(command, known[command])})
    unknown = [command for command in EVENTS if command not in known]
    for size in range(1, len(unknown) + 1):
        for commands in combinations(unknown, size):
            waiting = session._replace(phase="appending", sent=commands)
            request = Request(index, session.term, commands)
            yield f"{index}: append {'+'.join(commands)}", send(state, index, waiting, request)


def take_answer(state: State, index: int, session: Session, base: int, rules: Rules) -> State:
    """The owner's side of the protocol, as ``ShardLog.open`` and ``ShardLog.append`` have it."""
    if session.phase == "opening":
        # Open = append log.opened, read the log up to it, only then decide.
        known = frozenset(valid(state.log[:base], rules))
        return replace(state, index, Session("open", term=base, next=base + 1, known=known))
    if rules.contiguity and base != session.next:
        return replace(state, index, OVER)
    offsets: list[tuple[str, int]] = []
    position = base
    for command in session.sent:
        offsets.append((command, position))
        position += EVENTS[command]
    later = Session("open", term=session.term, next=position, known=session.known | set(offsets))
    return replace(state, index, later)._replace(told=state.told | set(offsets))


def arrive(state: State, request: Request) -> State:
    """The broker appends a batch, and has an answer for whoever still waits for it."""
    base = len(state.log)
    if request.commands:
        entries = [Entry(command, request.term) for command in request.commands for _ in range(EVENTS[command])]
    else:
        entries = [Entry(None, base)]
    state = state._replace(log=(*state.log, *entries))
    session = state.sessions[request.session]
    if session.phase not in ("opening", "appending") or session.sent != request.commands or session.answer is not None:
        return state
    return replace(state, request.session, session._replace(answer=base))


def send(state: State, index: int, session: Session, request: Request) -> State:
    return replace(state, index, session)._replace(network=state.network | {request})


def replace(state: State, index: int, session: Session) -> State:
    return state._replace(sessions=(*state.sessions[:index], session, *state.sessions[index + 1 :]))


def describe(request: Request) -> str:
    return f"{request.session}'s {'+'.join(request.commands) or 'log.opened'}"


class Result(NamedTuple):
    states: int
    #: Names of the steps that were taken.
    kinds: set[str]
    #: The shortest way to a violation, and what it violates. Empty: there is none.
    trace: list[str]


def explore(sessions: int, rules: Rules) -> Result:
    """All that can happen, breadth first, up to the first violation."""
    start = State(sessions=(Session(),) * sessions)
    came_from: dict[State, tuple[State, str] | None] = {start: None}
    kinds: set[str] = set()
    layer = [start]
    while layer:
        following: list[State] = []
        for state in layer:
            for label, after in steps(state, rules):
                kinds.add(kind(label))
                if after in came_from:
                    continue
                came_from[after] = (state, label)
                if (reason := violation(after, rules)) is not None:
                    return Result(len(came_from), kinds, [*way(after, came_from), reason])
                following.append(after)
        layer = following
    return Result(len(came_from), kinds, [])


def kind(label: str) -> str:
    """``0: answer 3`` -> ``answer``."""
    names = ("deliver late", "deliver", "open", "repeat", "answer", "superseded", "give up", "append", "known")
    return next(name for name in names if label.split(": ")[-1].startswith(name))


def way(state: State, came_from: dict[State, tuple[State, str] | None]) -> list[str]:
    """The steps that lead to a state."""
    labels: list[str] = []
    while (before := came_from[state]) is not None:
        state, label = before
        labels.append(label)
    return labels[::-1]


@pytest.mark.long
@pytest.mark.parametrize("sessions", [1, 2, 3])
def test_what_is_acknowledged_is_valid_exactly_once(sessions: int) -> None:
    found = explore(sessions, Rules())
    print(f"{sessions} sessions, {len(EVENTS)} commands: {found.states} states")
    assert found.trace == []


def test_every_kind_of_step_was_explored() -> None:
    """A search that never gets to a fault would prove nothing about it."""
    expected = {"open", "deliver", "deliver late", "answer", "superseded", "give up", "append", "known"}
    assert explore(2, Rules()).kinds == expected


@pytest.mark.parametrize(
    ("missing", "steps_at_most", "reason"),
    [("contiguity", 12, "but readers believe"), ("term", 12, "stands twice"), ("idempotence", 12, "stands twice")],
)
def test_each_rule_is_needed(missing: str, steps_at_most: int, reason: str) -> None:
    trace = explore(2, Rules()._replace(**{missing: False})).trace
    print(f"without {missing}, a violation after {len(trace) - 1} steps:", *trace, sep="\n  ")
    assert trace and reason in trace[-1]
    assert len(trace) - 1 <= steps_at_most
