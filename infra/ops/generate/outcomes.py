"""What an operation can come to: its problems, and whether it makes events; read from the code that it runs.

The source of an operation's function is followed into every function, command and helper of ``api`` and ``producers``
that it names, and each ``Problem("code", ...)`` and ``Refused("code", ...)`` on the way counts.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from types import FunctionType
from typing import Any, NamedTuple

from api.core.calls import Call
from api.core.operation import Operation
from api.support.feed import FeedEnds
from api.support.login_throttle import LoginThrottle
from api.support.problems import PROBLEMS
from producers import accounts, registry
from producers.commands import Command

#: What names stand for by custom; their methods are followed too.
_OBJECTS: dict[str, type] = {"call": Call, "feed": FeedEnds, "login_throttle": LoginThrottle}
_PACKAGES = ("api", "producers")

#: Problems of any operation, whatever it does.
ALWAYS = ("internal", "unavailable")
WITH_TOKEN = ("unauthenticated", "token_expired", "token_not_yet_valid", "token_revoked")
WITH_BODY = ("malformed", "too_large")
WITH_POSITION = ("lagging",)
OF_HEAVY = ("rate_limited", "overloaded")
WITH_KEY = ("key_reused",)
#: Of people and services, and of whom nobody knows.
WITH_LIMIT = ("rate_limited",)
OF_COMMANDS = ("overloaded", "lagging", "parked", "no_owner", "insufficient_storage", "unknown")


class Outcomes(NamedTuple):
    """What an operation can come to."""

    #: Codes of problems that its own rules give, sorted.
    own: tuple[str, ...]
    #: Names of the commands that it gives; an import may give many more.
    commands: tuple[str, ...]
    #: Whether it gives commands at all.
    changes: bool
    #: Whether a client's key is for them.
    keyed: bool


_known: dict[str, Outcomes] = {}


def of(operation: Operation) -> Outcomes:
    """The outcomes of an operation."""
    if operation.name not in _known:
        _known[operation.name] = _read(operation)
    return _known[operation.name]


def reaches(start: Any, target: Any) -> bool:
    """Whether the way from a function leads through another."""
    walk = _CallWalk()
    walk.follow(start)
    return walk.met(target)


def _read(operation: Operation) -> Outcomes:
    walk = _CallWalk()
    walk.follow(operation.run)
    general = {*ALWAYS, *WITH_TOKEN, *WITH_POSITION}
    # A wrong password gives what a missing token gives, on an operation that takes no token.
    own = {code for code in walk.codes if code not in general or operation.permission == "anyone"}
    own -= {"token_expired", "token_revoked", *ALWAYS, *WITH_POSITION}
    # Codes that are no problem's are for the code that gave the command, which goes on from there.
    own &= PROBLEMS.keys()
    return Outcomes(
        tuple(sorted(own)),
        tuple(sorted(walk.commands)),
        walk.met(Call.submit) or walk.met(Call.step),
        walk.met(Call.submit),
    )


def general(operation: Operation) -> list[str]:
    """Codes that an operation gives for what it has in common with others."""
    codes = list(ALWAYS)
    if operation.permission != "anyone":
        # A token may be of another kind than the operation takes.
        codes += (*WITH_TOKEN, "forbidden")
    if operation.method not in ("GET", "DELETE"):
        codes += WITH_BODY
    if operation.permission != "operator":
        codes += WITH_LIMIT
    codes += ("invalid", *WITH_POSITION)
    if operation.heavy or operation.has_past:
        codes += OF_HEAVY
    if of(operation).changes:
        codes += OF_COMMANDS
    if of(operation).keyed:
        codes += WITH_KEY
    return list(dict.fromkeys(codes))


def all_codes(operation: Operation) -> list[str]:
    """All of its codes."""
    return list(dict.fromkeys([*of(operation).own, *general(operation)]))


def refusals(*functions: FunctionType) -> set[str]:
    """Codes of the problems that some functions, and what they call, raise by themselves."""
    walk = _CallWalk()
    for function in functions:
        walk.follow(function)
    return walk.codes


class _CallWalk:
    def __init__(self) -> None:
        self.codes: set[str] = set()
        self.commands: set[str] = set()
        # What an account may do at all is told of all operations that need a token.
        self._seen: set[Any] = {accounts.allow}

    def follow(self, thing: Any) -> None:
        if thing in self._seen:
            return
        self._seen.add(thing)
        if isinstance(thing, type) and issubclass(thing, Command) and thing is not Command:
            self.commands.add(thing.__name__)
            self.follow(registry.COMMANDS_BY_NAME[thing.__name__].decide)
        elif isinstance(thing, FunctionType):
            self._function(thing)
        elif isinstance(thing, type) and _ours(thing) and "__init__" in thing.__dict__:
            self._function(thing.__dict__["__init__"])

    def met(self, thing: Any) -> bool:
        """Whether the way led through it."""
        return thing in self._seen

    def _function(self, function: FunctionType) -> None:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        names = {**function.__globals__, **inspect.getclosurevars(function).nonlocals}
        for node in _done(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("Problem", "Refused")
            ):
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    self.codes.add(first.value)
            for target in _targets(node, names):
                if _ours(target) and getattr(target, "__name__", "") not in ("Problem", "Refused"):
                    self.follow(target)


def _done(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of what is done: without annotations, which name commands that are not given there."""
    yield node
    for field, value in ast.iter_fields(node):
        if field not in ("annotation", "returns"):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _done(child)


def _targets(node: ast.AST, names: dict[str, Any]) -> Iterator[Any]:
    """What a name, or an attribute of a module or of one of _OBJECTS, stands for."""
    if isinstance(node, ast.Name) and node.id in names:
        yield names[node.id]
    elif isinstance(node, ast.Attribute):
        owner = node.value
        word = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
        if word in _OBJECTS:
            found = inspect.getattr_static(_OBJECTS[word], node.attr, None)
            yield found.fget if isinstance(found, property) else found
        elif inspect.ismodule(names.get(word)):
            yield getattr(names[word], node.attr, None)


def _ours(thing: Any) -> bool:
    return (isinstance(thing, FunctionType | type)) and thing.__module__.split(".")[0] in _PACKAGES
