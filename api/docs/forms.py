"""Forms that call operations from the page. They are shown by the script that sends them."""

from __future__ import annotations

from html import escape

from api.docs import prefill
from api.docs.markup import inline
from api.docs.requests import Document, Parameter, SampleRequest, text
from api.docs.samples import compact_json

#: Operations that take something from somebody, besides those with the method DELETE: the page asks before it calls.
GRAVE = frozenset({
    "users.change_password", "users.reset_password", "rooms.archive", "import.orders", "apps.suspend",
    "apps.revoke_tokens", "users.revoke_tokens", "apps.erase", "users.erase",
})  # fmt: skip


def form(request: SampleRequest, body: Document | None) -> str:
    """The operation as a form, with what its example cannot leave out filled in. ``body``: the schema of its body."""
    rows = [prefill.parameter(row) for row in request.parameters]
    needed = [_field(request, row) for row in rows if row.value is not None]
    optional = [_field(request, row) for row in rows if row.value is None]
    if request.body is not None:
        needed.append(_body(request, body or {}))
    more = f"<details><summary>Optional</summary>{''.join(optional)}</details>" if optional else ""
    asks = ' data-asks="yes"' if request.method == "DELETE" or request.name in GRAVE else ""
    token = ' data-token="yes"' if request.needs_token else ""
    name = escape(request.name)
    # What is missing is said by the script, with where to get it.
    return (
        f'<details class="try" hidden><summary>Try it</summary><form novalidate '
        f'aria-label="Try {name}" data-method="{request.method}" data-path="{escape(request.path)}"{token}{asks}>'
        f'{"".join(needed)}{more}<p class="acts"><button class="primary">Send</button></p>'
        f'<div class="answer"></div></form></details>'
    )


def _field(request: SampleRequest, row: Parameter) -> str:
    # What may be left out is: a cursor or a bound of the example fits nothing that is here.
    given = "" if row.value is None else escape(text(row.value))
    value = f' value="{given}" required' if row.required else f' placeholder="e.g. {given}"' if given else ""
    described, hint = "", ""
    if row.value == "":
        described, hint = _hint(request, row.name, [row.name])
        value += ' placeholder="its id"'
    return (
        f'<div><label><span>{escape(row.name)} <small>{row.where}</small></span><input name="{escape(row.name)}" '
        f'data-in="{row.where}"{value}{described} autocomplete="off" spellcheck="false"></label>{hint}</div>'
    )


def _body(request: SampleRequest, schema: Document) -> str:
    value = prefill.body(request.body, schema)
    body, blanks = compact_json(value), prefill.blanks(value)
    lines = body.count("\n") + 1
    id_ = f"{escape(request.name)}-body"
    described, hint = _hint(request, "body", blanks) if blanks else ("", "")
    ids = f' data-ids="{escape(" ".join(blanks))}"' if blanks else ""
    return (
        f'<div><label for="{id_}"><span>Body <small>JSON</small></span></label><textarea id="{id_}" data-in="body" '
        f'rows="{lines}"{ids}{described} spellcheck="false" autocomplete="off">{escape(body)}</textarea>{hint}</div>'
    )


def _hint(request: SampleRequest, field: str, blanks: list[str]) -> tuple[str, str]:
    """The attribute of a field that waits for ids, and the line below it: where they are from."""
    id_ = f"{escape(request.name)}-{escape(field)}-hint"
    said = " ".join(dict.fromkeys(prefill.SOURCES[name] for name in blanks))
    return f' aria-describedby="{id_}"', f'<p class="hint" id="{id_}">{inline(said)}</p>'
