"""``docs/reference/commands.md`` and ``problems.md``: what clients can ask for, and what can go wrong."""

from __future__ import annotations

import json

from api.core.operation import HTTP_ONLY, NoPast, Operation
from api.registry import all_operations
from api.support.problems import PROBLEMS, TYPE_PREFIX
from infra.ops.generate import answers, examples, openapi, outcomes
from infra.ops.generate.descriptions import DESCRIPTIONS
from infra.ops.generate.reference import samples
from infra.ops.generate.reference.events import anchor, fields
from infra.ops.generate.reference.markdown import code, codes, page, table
from infra.ops.generate.reference.types import words

_INTRO = """\
You can call an operation in two ways, with the same rules and the same errors:

- over HTTP: path parameters in the path; other members in the query (`GET`, `DELETE`) or in a JSON body;
- over RPC on the [push connection](push.md): the method is the operation's name, the data all members together.
  What HTTP has in headers are the members `idempotency_key` and `position`.

A read includes everything that the user was told has happened, whichever node answered, over HTTP or RPC, on any of the
user's devices: it waits until the tables have it, some milliseconds, and answers 503 `lagging` if that takes longer
than 5 seconds. An operation that changes something also answers with `Klatsch-Position` (RPC: `position`): a read that
sends it waits for that too. So you can see what somebody else has changed if they give you the position.

A block, its removal, and `added_by` are answered once the tables have them: from the answer on they apply to the
requests of others, on every node. What comes between request and answer, or while the tables are more than a second
behind, may be decided as before.

It also takes an `Idempotency-Key`; for `messages.send` its `client_id` is the same (older name: `token`), and takes
precedence over the header; `messages.set_emotions` has a `key` for each. The same request of the same caller with the
same key changes nothing more, for ever, also if the first one found nothing to do. It gives the first result again,
with `Klatsch-Repeated: true` (RPC: `repeated`): as it was then, whatever has happened and whoever has left since. Only
what is deleted now is not shown: a message keeps its place and number, a room its id and numbers.

- A used key is answered before checks of what would prevent the command now, such as a block. But callers must prove
  who they are as always: a log-in needs the current password.
- Refusals are not remembered: the same key is decided again.
- Another request with a used key is refused with `key_reused`: other members, whatever their order. Keys count within
  a command (below: "decided by") and what it changes: a room, or your own user. So one key in two rooms, or of two
  commands, is two keys. A room without an id of your choice, and a registration, get theirs from the key: with a
  used key, another name, password or address is another registration, which finds the name `taken`.

Calls are counted, by account, or by address where no token is needed; operators' are not. Each operation says below
which limit it counts against: a [setting](settings.md), `KLATSCH_LIMIT_` and its name; a read with `as_of` counts as
`heavy`. Over HTTP `RateLimit-Policy` and `RateLimit` say the limit and what is left of it. Beyond it the answer is
[`rate_limited`](problems.md#rate_limited), and says how long to wait.

A read with `as_of` (HTTP: in the query; RPC: among the members) answers as of a past moment: a time
(`2026-11-21T08:15:30Z`), or the next offsets of shards (`rooms/3/1235,users/1/88`), as in `Klatsch-Position`;
shards that are not named are as they are now. A time refers to when things happened: history that was imported
later, with older times, is in the answer; a position refers to what the log had. Callers see what they were allowed to
see then and are allowed to see now. See [how to travel in time](../howto/travel-in-time.md). Reads that have no past
say why below.
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
    return page(
        "Operations", _INTRO, samples.opening(), "## All of them", listing, _common(), *map(_operation, operations),
        "## Views", views,
    )  # fmt: skip


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
        # Their tokens open no push connection.
        _http(row) + ("" if row.permission in HTTP_ONLY else f" · RPC `{row.name}`"),
        f"{row.summary}. {DESCRIPTIONS[row.name]} {openapi.permission_text(row)}{_counted(row)}",
        f"Decided by {codes(found.commands)}." if found.commands else "",
        samples.of(row.name),
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
    if isinstance(row.as_of, NoPast):
        return f"No `as_of`: {row.as_of.because}."
    return "Takes `as_of`." if row.has_past else ""


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
    title = PROBLEMS["invalid"].title
    intro = f"""\
An error is a problem document (RFC 9457), `application/problem+json`. Its `type` is `{TYPE_PREFIX}` and a code of this
table; codes are stable, texts are for people. Over RPC the reply's error has the code of the third column and, where
the SDK shows it, the code and detail as its message. `Retry-After` (and `retry_after` in the document) says how many
seconds to wait.

```json
{{
  "type": "{TYPE_PREFIX}invalid", "title": "{title}", "status": 422,
  "detail": "content.text: expected a string of 1 to 2000 characters, got a string of 0 characters",
  "errors": [
    {{
      "pointer": "/content/text", "expected": "a string of 1 to 2000 characters", "actual": "a string of 0 characters"
    }}
  ],
  "request_id": "5f0c7d6f1e9b4a32"
}}
```

**`errors`** names the places of the request that are wrong, all of them up to twenty, where they are known; other
problems than `invalid` have it too: of a `taken` name it says which member that is. Each has one of

- `pointer`: a JSON pointer (RFC 6901) into the body, or into the data of an RPC; empty: all of it;
- `parameter`: a parameter of the path or the query; over RPC it is a member, and has a pointer;
- `header`: a header; over RPC a member as well (`/idempotency_key`, `/position`).

`expected` and `actual` are for people, in the words of JSON; by the pointer a form finds its field. `actual` says kind
and size of what was found, and repeats it only where it is a number, a time or a word that was to be one of a few:
never what a member such as `password` or `token` holds. `nothing`: the member is not there.

**`request_id`** names the request in the operator's log; it is the header `X-Request-Id` of every answer, also of good
ones. A request that comes with the header, up to 64 of `A-Z a-z 0-9 . _ -`, keeps its own; over RPC each command has
one of ours.

**Over gRPC** (S1's services) details in `grpc-status-details-bin` have google.rpc's `ErrorInfo`: the code in
capitals as `reason`, and `type` and `request_id` in `metadata`; `RetryInfo` with how long to wait; `BadRequest` with a
violation for each place, by the field of the message or the name of the metadata."""
    users: dict[str, list[str]] = {}
    for operation in all_operations():
        for name in outcomes.of(operation).own:
            users.setdefault(name, []).append(operation.name)
    rows = [
        (
            f'<a id="{name}"></a>`{name}`', str(kind.status), str(kind.rpc), f"`{kind.grpc}`",
            f"{kind.title}. {kind.about}", codes(users.get(name, ())),
        )
        for name, kind in PROBLEMS.items()
    ]  # fmt: skip
    listing = table(("code", "HTTP", "RPC", "gRPC", "what, and what to do", "by rules of"), rows)
    documents = "\n".join(json.dumps(one, ensure_ascii=False) for one in examples.PROBLEMS.values())
    shown = f"## Examples\n\nOne document for each, on a line of its own here:\n\n```json\n{documents}\n```"
    return page("Problems", intro, listing, shown)
