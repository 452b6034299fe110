"""``docs/reference/commands.md`` and ``problems.md``: what clients can ask for, and what can go wrong."""

from __future__ import annotations

from api.operations import all_operations
from api.past import PAST, No
from api.problems import PROBLEMS, TYPE_PREFIX
from api.surface import Operation
from infra.generate import answers, openapi, outcomes
from infra.generate.reference.events import anchor, fields
from infra.generate.reference.markdown import code, codes, page, table
from infra.generate.reference.types import words

_INTRO = """\
An operation can be asked for in two ways, with the same rules and the same errors:

- over HTTP: path parameters in the path; other members in the query (`GET`, `DELETE`) or in a JSON body;
- over RPC on the [push connection](push.md): the method is the operation's name, the data all members together.
  What HTTP has in headers are the members `idempotency_key` and `position`.

A read shows what the reader was told to have happened before, whichever node answered, over HTTP or RPC, on any of the
user's devices: it waits until the tables have it, some milliseconds, and answers 503 `lagging` where that takes longer
than 5 seconds. An operation that changes something also answers with `Klatsch-Position` (RPC: `position`): a read that
sends it waits for that too. So what somebody else has changed is seen by whoever is given the position.

It also takes an `Idempotency-Key`; for `messages.send` its `client_id` is the same (older name: `token`), and goes
before the header; `messages.set_emotions` has a `key` for each. The same request of the same caller with the same key
changes nothing more, for ever, also where the first one
found nothing to do. It gives the first result again, with `Klatsch-Repeated: true` (RPC: `repeated`): as it was then,
whatever has happened since, and whoever has left since. Only what is deleted now is not shown: of a message its place
and number are left, of a room its id and numbers.

- A key that was used is answered before a check of what stands in the way now, like a block. But who asks has to prove
  who they are as ever: a log-in needs the password of now.
- What was refused is not remembered: the same key decides anew.
- Another request with a used key is refused with `key_reused`: other members, whatever their order. Keys count within
  a command (below: "decided by") and what it changes: a room, or your own user. So one key in two rooms, or of two
  commands, is two keys. A room that you give no id, and a registration, get theirs from the key: with a key that
  was used, another name, password or address is another registration, which finds the name `taken`.

Calls are counted, by account, or by address where no token is needed; operators' are not. Each operation says below
which limit it counts against: a [setting](settings.md), `KLATSCH_LIMIT_` and its name; a read with `as_of` counts as
`heavy`. Over HTTP `RateLimit-Policy` and `RateLimit` tell the limit and what is left of it. Beyond it the answer is
[`rate_limited`](problems.md#rate_limited), and says how long to wait.

A read with `as_of` (HTTP: in the query; RPC: among the members) answers of a past moment: a time
(`2026-11-21T08:15:30Z`), or the next offsets of shards (`rooms/3/1235,users/1/88`), as `Klatsch-Position` names them;
shards that are not named stand where they are now. The caller is shown what they might see then and may see now. See
[how to travel in time](../howto/travel-in-time.md). Reads that have no past say why below.
"""


def page_text() -> str:
    """The page of operations."""
    operations = all_operations()
    listing = table(
        ("operation", "HTTP", "who", "what it does"),
        ((f"[`{row.name}`](#{anchor(row.name)})", _http(row), row.permission, row.summary) for row in operations),
    )
    views = "\n\n".join(
        f"### {name}\n\n{schema.get('description', '')}\n\n{fields(schema)}"
        for name, schema in answers.components().items()
        if name not in ("Problem",)
    )
    return page("Operations", _INTRO, listing, _common(), *map(_operation, operations), "## Views", views)


def _common() -> str:
    return f"""\
## Problems that any operation may give

| when | problems |
| --- | --- |
| always | {codes(("invalid", *outcomes.ALWAYS))} |
| it needs a token | {codes(outcomes.WITH_TOKEN)}; with the wrong kind of token `forbidden` |
| it has a body | {codes(outcomes.WITH_BODY)} |
| a position is sent | {codes(outcomes.WITH_POSITION)} |
| a key is sent | {codes(outcomes.WITH_KEY)} |
| it is not an operator's | {codes(outcomes.WITH_LIMIT)} |
| it changes something | {codes(outcomes.OF_COMMANDS)} |

Each is described in [problems](problems.md). Below, an operation lists only what its own rules add."""


def _operation(row: Operation) -> str:
    schemas, required = answers.request_fields(row.request)
    takes = table(
        ("member", "in", "type", "meaning"),
        (
            (
                code(name),
                _place(row, name),
                words(schema) + ("" if name in required else ", optional"),
                _meaning(schema),
            )
            for name, schema in schemas.items()
        ),
    )
    gives = answers.answer(row.name, row.returns)
    answer = table(
        ("member", "type", "meaning"),
        ((code(name), words(one), one.get("description", "")) for name, one in gives["properties"].items()),
    )
    found = outcomes.of(row)
    lines = [
        f"## {row.name}",
        # An operator's token opens no push connection.
        _http(row) + ("" if row.permission == "operator" else f" · RPC `{row.name}`"),
        f"{row.summary}. {openapi.permission_text(row)}{_counted(row)}",
        f"Decided by {codes(found.commands)}." if found.commands else "",
        f"Takes:\n\n{takes}" if takes else "",
        f"Answers {row.status} with:\n\n{answer}" if answer else f"Answers {row.status}, without a body.",
        _past(row),
        f"Problems of its own: {codes(found.own)}." if found.own else "",
    ]
    return "\n\n".join(line for line in lines if line)


def _http(row: Operation) -> str:
    return "not over HTTP" if row.only_rpc else code(f"{row.method} {row.path}")


def _counted(row: Operation) -> str:
    return "" if row.permission == "operator" else f" Counts as `{row.counts_as}`."


def _past(row: Operation) -> str:
    if row.method != "GET":
        return ""
    past = PAST[row.name]
    return f"No `as_of`: {past.because}." if isinstance(past, No) else "Takes `as_of`."


def _place(row: Operation, name: str) -> str:
    if name in row.path_parameters:
        return "path"
    return "query" if row.method in ("GET", "DELETE") else "body"


def _meaning(schema: dict[str, object]) -> str:
    about = str(schema.get("description", ""))
    default = schema.get("default")
    if default in (None, {}, [], 2**62):
        return about
    return f"{about} Default: `{default}`.".strip()


def problems_text() -> str:
    """The page of problems."""
    intro = f"""\
An error is a problem document (RFC 9457), `application/problem+json`. Its `type` is `{TYPE_PREFIX}` and a code of this
table; codes are stable, texts are for people. Over RPC the reply's error has the code of the third column and, where
the SDK shows it, the code and detail as its message. `Retry-After` (and `retry_after` in the document) says how many
seconds to wait."""
    users: dict[str, list[str]] = {}
    for operation in all_operations():
        for name in outcomes.of(operation).own:
            users.setdefault(name, []).append(operation.name)
    rows = [
        (
            f'<a id="{name}"></a>`{name}`', str(kind.status), str(kind.rpc), f"{kind.title}. {kind.about}",
            codes(users.get(name, ())),
        )
        for name, kind in PROBLEMS.items()
    ]  # fmt: skip
    return page("Problems", intro, table(("code", "HTTP", "RPC", "what, and what to do", "by rules of"), rows))
