"""Channel tokens: what they say, and everything for which one is no good. Tests ``push/relay/tokens.py``."""

from __future__ import annotations

import base64
import json
import secrets
from typing import Any

import jwt
import msgspec
import pytest
from msgspec.structs import replace

from api.core import tokens as log_in
from infra.base.settings import Settings
from push.relay.tokens import BadChannelToken, ChannelToken, _key, mint_channel_token, read_channel_token

SECRET = secrets.token_hex(32)
NOW = 1_795_250_100.25
TOKEN = ChannelToken(
    user="u-1", username="ada", number=7, channel=3, server="relay-1", before=None, version=41, timestamp=NOW,
    id="019aa000-0000-7000-8000-0000000000ff.0", session="019aa000-0000-7000-8000-0000000000aa",
)  # fmt: skip
TEXT = mint_channel_token(SECRET, TOKEN)


def read(text: str, **more: Any) -> ChannelToken:
    return read_channel_token(SECRET, text, **{"server": "relay-1", "now": NOW, "seconds": 10.0, **more})


def refused(text: str, **more: Any) -> BadChannelToken:
    with pytest.raises(BadChannelToken, match=r"expected .*, got") as caught:
        read(text, **more)
    return caught.value


@pytest.mark.parametrize("token", [TOKEN, replace(TOKEN, before="relay-0", number=2**32 - 1, version=2**63 - 1)])
def test_what_was_signed_is_read(token: ChannelToken) -> None:
    assert read(mint_channel_token(SECRET, token)) == token
    assert mint_channel_token(SECRET, token) == mint_channel_token(SECRET, token)


def test_its_claims_are_named_as_they_were_decided() -> None:
    claims = jwt.decode(TEXT, options={"verify_signature": False})
    assert claims == {
        "sub": "u-1", "username": "ada", "num": 7, "channel": 3, "server": "relay-1", "prev": None, "ver": 41,
        "timestamp": NOW, "jti": TOKEN.id, "sid": TOKEN.session,
    }  # fmt: skip


@pytest.mark.parametrize("age", [-10.0, 0.0, 10.0])
def test_it_holds_some_seconds_before_and_after(age: float) -> None:
    assert read(TEXT, now=NOW + age) == TOKEN


def test_beyond_them_it_is_no_good() -> None:
    late = refused(TEXT, now=NOW + 60)
    assert late.code == "token_expired" and "of 60.0 s ago" in str(late) and "clocks" in str(late)
    ahead = refused(TEXT, now=NOW - 12.5)
    assert ahead.code == "token_not_yet_valid" and ahead.retry_after == 2.5


def test_it_is_good_at_its_server_alone() -> None:
    other = refused(TEXT, server="relay-2")
    assert other.code == "unauthenticated" and "relay-1" in str(other) and "relay-2" in str(other)


def forged(**changes: Any) -> str:
    """Other claims under the same signature."""
    head, body, signature = TEXT.split(".")
    claims = {**json.loads(base64.urlsafe_b64decode(body + "==")), **changes}
    return f"{head}.{base64.urlsafe_b64encode(msgspec.json.encode(claims)).decode().rstrip('=')}.{signature}"


def unsigned() -> str:
    return jwt.encode(msgspec.to_builtins(TOKEN), "", "none")


@pytest.mark.parametrize("text", [
    "", "x", "a.b.c", TEXT[:-2], f"{TEXT.rpartition('.')[0]}.", forged(channel=4), unsigned(), "x" * 5000,
    mint_channel_token(secrets.token_hex(32), TOKEN),
    jwt.encode(msgspec.to_builtins(TOKEN), bytes.fromhex(SECRET), "HS256"),
], ids=[
    "empty", "word", "no_json", "cut", "no_signature", "other_claims", "unsigned", "long", "other_secret", "other_key",
])  # fmt: skip
def test_what_this_installation_has_not_signed_is_none(text: str) -> None:
    assert refused(text).code == "unauthenticated"


def test_neither_kind_of_token_is_the_other() -> None:
    settings = Settings(secret=SECRET)
    session = log_in.mint(
        settings, user="u-1", session="s", role="person", issued="2026-11-21T08:00:00.000Z",
        expires="2036-11-21T08:00:00.000Z",
    )  # fmt: skip
    assert refused(session).code == "unauthenticated"
    with pytest.raises(Exception, match="expected a token of this installation"):
        log_in.verify(settings, TEXT)


def test_claims_that_lack_something_are_none() -> None:
    for claims in ({}, {**msgspec.to_builtins(TOKEN), "num": "7"}):
        assert refused(jwt.encode(claims, _key(SECRET), "HS256")).code == "unauthenticated"
