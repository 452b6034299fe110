"""The way to a token, in steps: what a newcomer does first, and what all samples go on from."""

from __future__ import annotations

from typing import NamedTuple

#: Where ``./klatsch up`` listens. The page puts its own address in this one's place.
SERVER = "http://127.0.0.1:8400"
#: What the samples import, where that is not a part of the language.
PACKAGES = {"python": "requests"}


class StartStep(NamedTuple):
    """A step with what it is for, and its code by language."""

    title: str
    about: str
    code: dict[str, str]


STEPS = (
    StartStep(
        "Register, once",
        "Makes a user, and opens a first session: the answer has a `token` too. "
        "An account without a password has only this session.",
        {
            "curl": f"""\
KLATSCH={SERVER}
curl "$KLATSCH/v1/users" -d '{{"username": "grace", "password": "nanosecond"}}'""",
            "javascript": f"""\
const klatsch = "{SERVER}";
const me = {{ username: "grace", password: "nanosecond" }};
const registered = await fetch(`${{klatsch}}/v1/users`, {{ method: "POST", body: JSON.stringify(me) }});
console.log(registered.status);""",
            "python": f"""\
import requests

klatsch = "{SERVER}"
me = {{"username": "grace", "password": "nanosecond"}}
registered = requests.post(f"{{klatsch}}/v1/users", json=me)
print(registered.status_code)""",
        },
    ),
    StartStep(
        "Open a session",
        "Logs in, here or on another device, and answers with a `token` (a JWT) that lasts as long as `expires` says: "
        "an hour, unless configured otherwise. [`sessions.renew`](#sessions.renew) exchanges it for a later one, "
        "[`sessions.close`](#sessions.close) logs out.",
        {
            "curl": """\
TOKEN=$(curl -s "$KLATSCH/v1/sessions" \\
  -d '{"username": "grace", "password": "nanosecond"}' | jq -r .token)""",
            "javascript": """\
const opened = await fetch(`${klatsch}/v1/sessions`, { method: "POST", body: JSON.stringify(me) });
const { token } = await opened.json();""",
            "python": """\
opened = requests.post(f"{klatsch}/v1/sessions", json=me)
token = opened.json()["token"]""",
        },
    ),
    StartStep(
        "Use the token",
        "As `Authorization: Bearer` with every call over HTTP, or in the `connect` of the push connection. "
        "Without a good one the answer is 401. Never put it into a URL.",
        {
            "curl": """\
curl "$KLATSCH/v1/users/me" \\
  -H "Authorization: Bearer $TOKEN\"""",
            "javascript": """\
const response = await fetch(`${klatsch}/v1/users/me`, {
  headers: { Authorization: `Bearer ${token}` },
});
console.log(response.status, await response.json());""",
            "python": """\
response = requests.get(
    f"{klatsch}/v1/users/me",
    headers={"Authorization": f"Bearer {token}"},
)
print(response.status_code, response.json())""",
        },
    ),
)

#: What one has to know besides, as a title and two lines.
NOTES = (
    (
        "From a web page",
        "Pages of other origins may call everything below `/v1/` if the operator lists them in `KLATSCH_ORIGINS`; "
        "an installation on your own machine admits `http://localhost:*`. Cookies do not count there: send the token.",
    ),
    (
        "For an application",
        "Its server signs a token (HS256, the secret of its API key, which is the header `kid`; claims `server`: true, "
        "`iat`, `exp`) and calls operations for one of its users with the header `Klatsch-User`: the id that Klatsch "
        "gave them, which `users.query` finds by yours. Its users' tokens it signs likewise, with `sub`, your id. Who "
        "has no token yet names the application by `Klatsch-Api-Key`, in `users.register` and `sessions.open`.",
    ),
    (
        "Read your writes",
        "A read includes everything that its user was told has happened, on any device. To let somebody else see your "
        "change, give them the `Klatsch-Position` of its answer: they send it as a header with their read.",
    ),
    (
        "Repeat safely",
        "Send an `Idempotency-Key` of your own with every request that changes something (`client_id` with a message). "
        "After a timeout repeat the request with the same key: it happens only once, and you get the first answer.",
    ),
)
