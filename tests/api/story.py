"""The examples of the contract, told to a real server: their ids stand for those that it makes."""

from __future__ import annotations

import re
from typing import Any

from infra.ops.generate.examples import story
from infra.ops.generate.examples.story import Example
from tests.client import OPERATIONS, Socket, World

#: Ids that the examples are about.
IDS = {
    value: name
    for name, value in vars(story).items()
    if isinstance(value, str) and re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value)
}
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z")
#: Members that are different each time: of them only the type counts.
_OWN = frozenset(
    {
        "token", "next", "older", "newer", "cursor", "epoch", "position", "version", "vector", "before", "installation",
        "count", "error", "offset", "event", "key", "secret", "reset",
    }
)  # fmt: skip


class Story:
    """Who has what token, and which id of the server stands for which of the examples."""

    def __init__(self, world: World, operator: str, server: str) -> None:
        self.world = world
        self.tokens: dict[str, str | None] = {"nobody": None, "operator": operator, "server": server}
        self.ids: dict[str, str] = {}
        self.sockets: dict[str, Socket] = {}

    async def tell(self, operation: str, example: Example, **other: Any) -> Any:
        """Sends an example, with members in place of its own where it cannot say them; the answer, None without one."""
        members = {**self.real(example.members), **other}
        if OPERATIONS[operation].only_rpc:
            await self.sockets[example.who].rpc(operation, members)
            return None
        answer = await self.world.call(operation, members, token=self.tokens[example.who])
        return answer if OPERATIONS[operation].status != 204 else None

    def real(self, value: Any) -> Any:
        """A value of the examples with the ids of the server."""
        if isinstance(value, dict):
            return {self.real(name): self.real(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.real(item) for item in value]
        if isinstance(value, str):
            for example, real in self.ids.items():
                value = value.replace(example, real)
        return value

    def compare(self, example: Any, answer: Any, place: str) -> list[str]:
        """Where an answer is not what the example says."""
        if isinstance(example, dict) and isinstance(answer, dict):
            return self._members(example, answer, place)
        if isinstance(example, list) and isinstance(answer, list):
            wrong = len(answer) != len(example) and not (place.startswith("console") and len(answer) > len(example) > 0)
            found = [f"{place}: expected {len(example)} items, got {len(answer)}"] if wrong else []
            pairs = enumerate(zip(self._ordered(example, place), answer, strict=False))
            return found + [line for n, (one, real) in pairs for line in self.compare(one, real, f"{place}[{n}]")]
        return self._plain(example, answer, place)

    def _ordered(self, example: list[Any], place: str) -> list[Any]:
        """The items as an answer has them: a page's users by their ids, which the server makes by chance."""
        return sorted(example, key=lambda user: self.real(user["id"])) if place == "messages.read.users" else example

    def _members(self, example: dict[str, Any], answer: dict[str, Any], place: str) -> list[str]:
        found = []
        free = place.rpartition(".")[2] in ("vector", "lag", "feed", "read_models", "names", "connections", "parts")
        for name, value in example.items():
            real = self.real(name)
            if real in answer:
                found += self.compare(value, answer[real], f"{place}.{name}")
            elif not free:
                found.append(f"{place}: expected the member {name}, got {sorted(answer)}")
        free = free or place.startswith(("console.figures", "console.history"))
        shown = {self.real(name) for name in example}
        more = [] if free else [name for name in answer if name not in shown]
        return found + [f"{place}: expected no member {name}, as the example has none" for name in more]

    def _plain(self, example: Any, answer: Any, place: str) -> list[str]:
        if place.startswith(("console.figures", "console.history")):
            return []
        if _kind(example) != _kind(answer):
            return [f"{place}: expected {example!r}, got {answer!r}"]
        if isinstance(example, str) and isinstance(answer, str):
            if example in IDS:
                example = self.ids.setdefault(example, answer)
            elif _TIME.fullmatch(example):
                return [] if _TIME.fullmatch(answer) else [f"{place}: expected a time, got {answer!r}"]
        own = place.rpartition(".")[2] in _OWN or ".vector." in place or ".event." in place
        return [] if own or self.real(example) == answer else [f"{place}: expected {example!r}, got {answer!r}"]


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
    return type(value).__name__
