"""One operation on the page: what it takes and answers, how it is called, and a form that calls it."""

from __future__ import annotations

import re
from html import escape

from api.docs.forms import form
from api.docs.markup import MemberRow, inline, samples, table
from api.docs.requests import Document, SampleRequest, body_schema, request, resolved
from api.docs.samples import LANGUAGES, compact_json
from api.docs.schemas import link, rows


def article(document: Document, method: str, path: str, one: Document) -> str:
    """The operation as an article. Its id is the operation's name."""
    name = escape(one["operationId"])
    shown_path = re.sub(r"\{(\w+)\}", r"<i>{\1}</i>", escape(path))
    example = request(document, method, path, one)
    body = body_schema(one)
    own = [row for row in example.parameters if row.where == "path" or (row.where == "query" and row.name != "as_of")]
    about = [
        f"<p>{inline(one['description'])}{_rpc(one)}</p>",
        table("Parameters", [_parameter(row.name, row.where, row.required, row.schema, row.about) for row in own]),
        table("Body", rows(body)) if body else "",
        _also(example),
        _answers(document, one),
    ]
    codes = [(language.id, language.title, language.write(example)) for language in LANGUAGES]
    return (
        f'<article id="{name}" data-find="{escape(words(method, path, one))}">'
        f'<h3><b class="verb {method.lower()}">{method}</b> <code>{shown_path}</code>'
        f'<a class="anchor" href="#{name}" aria-label="Link to {name}">{name}</a></h3>'
        f'<p class="sum">{escape(one["summary"])}</p>'
        f'<div class="two"><div>{"".join(about)}</div>'
        f"<div>{samples(example.name, codes)}{_answer_example(one)}{form(example, body)}</div></div></article>"
    )


def words(method: str, path: str, operation: Document) -> str:
    """What the filter looks in."""
    return " ".join((method, path, operation["operationId"], operation["summary"])).lower()


def common(document: Document) -> str:
    """What many operations take, once."""
    found = document["components"]["parameters"].values()
    return table(
        "", [_parameter(row["name"], row["in"], False, row["schema"], row.get("description", "")) for row in found]
    )


def _rpc(one: Document) -> str:
    if one["operationId"] == "stream" or one.get("x-klatsch-permission") == "operator":
        return ""
    return f" RPC method: <code>{escape(one['operationId'])}</code>."


def _parameter(name: str, where: str, required: bool, schema: Document, about: str) -> MemberRow:
    type_ = link(schema) + ("" if required else ", optional")
    return MemberRow(f"{escape(name)} <small>{where}</small>", type_, inline(about))


def _also(example: SampleRequest) -> str:
    """Names of what many operations take: what they mean stands above all operations."""
    names = [row.name for row in example.parameters if row.where == "header" or row.name == "as_of"]
    listed = ", ".join(f'<a href="#common"><code>{escape(name)}</code></a>' for name in names)
    return f'<p class="also">Also takes {listed}.</p>' if names else ""


def _answers(document: Document, one: Document) -> str:
    """What it answers when all is well; what else it may answer, folded."""
    good, bad = [], []
    for status, answer in one["responses"].items():
        answer = resolved(document, answer)
        text = inline(answer["description"])
        if status.startswith("2"):
            schema = answer.get("content", {}).get("application/json", {}).get("schema")
            good.append(f"<h4>Answers {status}</h4><p>{text}</p>{table('', rows(schema)) if schema else ''}")
        else:
            bad.append((status, text))
    listed = "".join(f"<dt>{status}</dt><dd>{text}</dd>" for status, text in bad)
    statuses = ", ".join(status for status, _ in bad)
    return f"{''.join(good)}<details><summary>Problems: {statuses}</summary><dl>{listed}</dl></details>"


def _answer_example(one: Document) -> str:
    for status, answer in one["responses"].items():
        content = answer.get("content", {}).get("application/json", {})
        example = content.get("example") or next(
            (found["value"] for found in content.get("examples", {}).values()), None
        )
        if status.startswith("2") and example is not None:
            text = compact_json(example)
            return f"<details><summary>An answer</summary><pre><code>{escape(text)}</code></pre></details>"
    return ""
