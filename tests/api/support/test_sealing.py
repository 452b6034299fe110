"""What is sealed opens with the same key, as what it was sealed as, and never says what it holds."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest

from api.support.sealing import SealBroken, Sealer
from infra.base.settings import Settings, SettingsError, load

SETTINGS = Settings(secret=secrets.token_hex(32))
SECRET = secrets.token_bytes(32)


def test_it_opens_as_what_it_was_sealed_as() -> None:
    sealed = Sealer(SETTINGS).seal(SECRET, id="v", app="a")
    assert Sealer(SETTINGS).open(sealed, id="v", app="a") == SECRET
    assert sealed != Sealer(SETTINGS).seal(SECRET, id="v", app="a"), "each has a nonce of its own"
    for id, app in (("w", "a"), ("v", "b")):
        with pytest.raises(SealBroken, match=f"secret {id} of application {app}: expected it to be sealed with"):
            Sealer(SETTINGS).open(sealed, id=id, app=app)


@pytest.mark.parametrize(
    "spoil", [lambda raw: b"\x02" + raw[1:], lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]), lambda raw: b""]
)
def test_what_was_changed_does_not_open(spoil: object) -> None:
    raw = urlsafe_b64decode(Sealer(SETTINGS).seal(SECRET, id="v", app="a"))
    assert callable(spoil)
    with pytest.raises(SealBroken) as raised:
        Sealer(SETTINGS).open(urlsafe_b64encode(spoil(raw)).decode(), id="v", app="a")
    assert raised.value.__cause__ is None and raised.value.__suppress_context__


def test_the_key_of_the_environment_is_another() -> None:
    sealed = Sealer(SETTINGS).seal(SECRET, id="v", app="a")
    for other in (Settings(secret="", sealing_key=SETTINGS.secret), Settings(secret=secrets.token_hex(32))):
        with pytest.raises(SealBroken):
            Sealer(other).open(sealed, id="v", app="a")


def test_a_key_that_is_none_is_refused_without_showing_it() -> None:
    with pytest.raises(SettingsError, match="KLATSCH_SEALING_KEY: expected 64 hexadecimal digits, got 5 characters"):
        load({"KLATSCH_SEALING_KEY": "xyzzy"})
    key = secrets.token_hex(32)
    assert key not in repr(load({"KLATSCH_SEALING_KEY": key}))
