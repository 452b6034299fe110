"""The page for people, made from the OpenAPI document: plain HTML with a style and a small script of its own."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

from api.docs.schemas import example, link, rows

_HERE = Path(__file__).resolve().parent
_STYLE = (_HERE / "style.css").read_text(encoding="utf-8")
_SCRIPT = (_HERE / "filter.js").read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


#: Nothing but what stands in the page itself.
CONTENT_POLICY = (
    f"default-src 'none'; style-src {_digest(_STYLE)}; script-src {_digest(_SCRIPT)}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

Document = dict[str, Any]


def render(document: Document) -> str:
    """The whole page."""
    info = document["info"]
    found = list(operations(document))
    sections = "".join(_section(document, tag, found) for tag in document["tags"])
    schemas = "".join(_component(name, schema) for name, schema in document["components"]["schemas"].items())
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(info["title"])} API</title>
<style>{_STYLE}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the operations</a>
<nav aria-label="Operations">
<p class="brand"><a href="/">{escape(info["title"])}</a> <span>API {escape(info["version"])}</span></p>
<input id="filter" type="search" placeholder="Filter  ( / )" aria-label="Filter operations" autocomplete="off">
{_menu(document, found)}
</nav>
<main id="content">
<header>
<h1>{escape(info["title"])} API</h1>
<p class="lead">{escape(info["summary"])}</p>
{_prose(info["description"])}
<p>For programs: <a href="/openapi.json">openapi.json</a> (OpenAPI {escape(document["openapi"])}).</p>
</header>
{sections}
<section><h2 id="views">Views</h2><p>What operations answer, and what deltas carry.</p>{schemas}</section>
<p id="nothing" hidden>No operation has these words.</p>
</main>
<script>{_SCRIPT}</script>
</body>
</html>
"""


def operations(document: Document) -> Iterable[tuple[str, str, Document]]:
    """Method, path and operation of each, in the document's order."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _menu(document: Document, found: list[tuple[str, str, Document]]) -> str:
    groups = []
    for tag in document["tags"]:
        links = "".join(
            f'<li><a href="#{escape(one["operationId"])}" data-find="{escape(_words(method, path, one))}">'
            f'<b class="verb {method.lower()}">{method}</b>{escape(_short(one["operationId"]))}</a></li>'
            for method, path, one in found
            if tag["name"] in one["tags"]
        )
        groups.append(f"<div class=group><h2>{escape(tag['name'])}</h2><ul>{links}</ul></div>")
    return "".join(groups) + '<div class=group><h2><a href="#views">views</a></h2></div>'


def _short(name: str) -> str:
    return name.partition(".")[2] or name


def _words(method: str, path: str, operation: Document) -> str:
    return " ".join((method, path, operation["operationId"], operation["summary"])).lower()


def _section(document: Document, tag: Document, found: list[tuple[str, str, Document]]) -> str:
    own = "".join(_operation(document, *one) for one in found if tag["name"] in one[2]["tags"])
    return f"<section><h2>{escape(tag['name'])}</h2><p>{escape(tag['description'])}</p>{own}</section>"


def _operation(document: Document, method: str, path: str, one: Document) -> str:
    name = escape(one["operationId"])
    shown_path = re.sub(r"\{(\w+)\}", r"<i>{\1}</i>", escape(path))
    body = one.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    parts = [
        f"<p>{_inline(one['description'])} RPC method: <code>{name}</code>.</p>",
        _table("Parameters", _parameters(document, one)),
        _table("Body", rows(body)) if body else "",
        f"<h4>Example</h4><pre><code>{escape(_curl(method, path, one, body))}</code></pre>",
        _answers(document, one),
    ]
    return (
        f'<article id="{name}" data-find="{escape(_words(method, path, one))}">'
        f'<h3><b class="verb {method.lower()}">{method}</b> <code>{shown_path}</code>'
        f'<a class="anchor" href="#{name}" aria-label="Link to {name}">#</a></h3>'
        f'<p class="sum">{escape(one["summary"])}</p>'
        f"<details><summary>Details</summary>{''.join(parts)}</details></article>"
    )


def _parameters(document: Document, one: Document) -> list[tuple[str, str, str]]:
    found = []
    for row in one["parameters"]:
        row = _resolved(document, row)
        type_ = link(row["schema"]) + ("" if row["required"] else ", optional")
        found.append((f"{row['name']} <small>{row['in']}</small>", type_, _inline(row.get("description", ""))))
    return found


def _resolved(document: Document, value: Document) -> Document:
    if "$ref" not in value:
        return value
    found: Any = document
    for step in value["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    resolved: Document = found
    return resolved


def _table(title: str, found: list[tuple[str, str, str]]) -> str:
    if not found:
        return ""
    lines = "".join(f"<tr><th scope=row>{name}</th><td>{type_}</td><td>{text}</td></tr>" for name, type_, text in found)
    return f"<h4>{title}</h4><div class=wide><table>{lines}</table></div>"


def _answers(document: Document, one: Document) -> str:
    parts = []
    for status, answer in one["responses"].items():
        answer = _resolved(document, answer)
        schema = answer.get("content", {}).get("application/json", {}).get("schema")
        good = status.startswith("2")
        text = f'<dt class="{"good" if good else "bad"}">{status}</dt><dd>{_inline(answer["description"])}'
        parts.append(text + (_table("", rows(schema)) if schema else "") + "</dd>")
    return f"<h4>Answers</h4><dl>{''.join(parts)}</dl>"


def _curl(method: str, path: str, one: Document, body: Document | None) -> str:
    """The operation as a command; what must be filled in stands in capitals."""
    target = re.sub(r"\{(\w+)\}", lambda name: f"${name[1].upper()}", path)
    words = [f"curl -X {method}" if method != "GET" else "curl"]
    if one["operationId"] == "stream":
        words[0] += " -N"
    if one["security"]:
        words.append('-H "Authorization: Bearer $TOKEN"')
    if body is not None:
        words.append(f"-d '{json.dumps(example(body))}'")
    words.append(f'"$KLATSCH{target}"')
    return " \\\n  ".join(words)


def _component(name: str, schema: Document) -> str:
    head = f"<h3>{escape(name)}</h3><p>{_inline(schema.get('description', ''))}</p>"
    return f'<article id="view-{escape(name)}" class=view>{head}{_table("", rows(schema))}</article>'


def _inline(text: str) -> str:
    """The little Markdown that descriptions use: code and bold."""
    safe = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))
    return re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", safe)


def _prose(text: str) -> str:
    return "".join(f"<p>{_inline(part)}</p>" for part in text.strip().split("\n\n"))
