"""E-mail addresses: what is one, which are the same, and every decision about them."""

from __future__ import annotations

from typing import Any

import pytest

from events.handles import HandleClaimed, HandleConfirmed, HandleReleased, email_handle, handle_key
from events.users import User, UserEmailAbandoned, UserEmailChanged, UserProfileChanged, UserRegistered, user_key
from producers.commands import Refused
from producers.emails import LONGEST, kept
from producers.handles import ClaimHandle, ReleaseHandle
from producers.users import AbandonEmail, ChangeProfile, EmailChange, RegisterUser
from tests.producers.given import Given

ADA = UserRegistered(username="ada", name="Ada", role="person", credential="c1", data={}, email="ada@example.org")
NEW = "countess@example.org"


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("ada@example.org", "ada@example.org"), ("Ada@Example.ORG", "Ada@example.org"),
        ("a.d+a_1!#$%&'*/=?^`{|}~-@x.de", "a.d+a_1!#$%&'*/=?^`{|}~-@x.de"),
        ("ada@MÜNCHEN.de", "ada@xn--mnchen-3ya.de"), ("ada@bücher.example.com", "ada@xn--bcher-kva.example.com"),
        ("用户@例え.jp", "用户@xn--r8jz45g.jp"), ("e\u0301va@x.de", "\u00e9va@x.de"),
        ("a" * 64 + "@x.de", "a" * 64 + "@x.de"),
    ],
)  # fmt: skip
def test_addresses_and_how_they_are_kept(typed: str, address: str) -> None:
    assert kept(typed) == address and kept(address) == address


@pytest.mark.parametrize(
    "typed",
    [
        "ada", "ada@", "@example.org", "ada@example", "ada@localhost", "ada@@example.org", "a da@example.org",
        " ada@example.org", "ada@example.org ", "ada@example.org\n", "ada@exam ple.org", "ada@example..org",
        ".ada@example.org", "ada.@example.org", "a..da@example.org", "ada@-example.org", "ada@example.org.",
        "ada@[127.0.0.1]", '"ada"@example.org', "Ada <ada@example.org>", "ada,bob@example.org", "ada@x.test",
        "a" * 65 + "@example.org", "ada@" + "b" * 64 + ".org", "ada\x00@example.org", "ada@example.org\u200b",
        "ada@ex_ample.org", "ada\u202e@example.org",
    ],
)  # fmt: skip
def test_what_is_no_address(typed: str) -> None:
    with pytest.raises(Refused) as refusal:
        kept(typed)
    assert refusal.value.code == "invalid" and refusal.value.detail.startswith("email: expected")


def test_an_address_has_at_most_254_bytes() -> None:
    label = "b" * 47
    longest = f"{'a' * 62}@{'.'.join([label] * 4)}"
    assert len(longest) == LONGEST == len(kept(longest))
    with pytest.raises(Refused):
        kept(f"a{longest}")
    # As it is sent: these letters take two bytes each.
    with pytest.raises(Refused):
        kept(longest.replace("a" * 62, "ä" * 32 + "a" * 30))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ada@example.org", "aDA@EXAMPLE.org", True), ("ÄDA@example.org", "äda@example.org", True),
        ("ada@MÜNCHEN.de", "ADA@xn--mnchen-3ya.de", True), ("A\u0301da@x.de", "\u00e1da@x.de", True),
        ("a.da@example.org", "ada@example.org", False), ("ada+x@example.org", "ada@example.org", False),
        ("äda@example.org", "ada@example.org", False), ("ada@example.org", "ada@example.com", False),
    ],
)  # fmt: skip
def test_the_same_address_is_one_handle(one: str, other: str, same: bool) -> None:
    assert (email_handle(kept(one)) == email_handle(kept(other))) == same


def test_registering_keeps_the_address_in_its_form() -> None:
    command = RegisterUser(user="s", username="ada", name="Ada", credential="c1", email="ada@EXAMPLE.org")
    Given().when(command).then(ADA)
    Given().when(RegisterUser(user="s", username="ada", name="Ada", email="no address")).refused("invalid")


def change(address: str | None, since: int = 0, credential: str | None = "c1", **more: Any) -> ChangeProfile:
    return ChangeProfile(user="s", email=EmailChange(address=address, since=since, credential=credential), **more)


def test_changing_the_address() -> None:
    Given(ADA).when(change("countess@EXAMPLE.org")).then(UserEmailChanged(email=NEW))
    Given(ADA).when(change(None)).then(UserEmailChanged(email=None))
    Given(ADA).when(change("ada@example.org")).then()
    # In another case it is the same mailbox, and shown as its owner writes it.
    Given(ADA).when(change("Ada@example.org")).then(UserEmailChanged(email="Ada@example.org"))
    both = [UserProfileChanged(name="Countess", data=None), UserEmailChanged(email=NEW)]
    Given(ADA).when(change(NEW, name="Countess")).then(*both)


def test_a_change_of_the_address_is_whole_or_nothing() -> None:
    Given(ADA).when(change("no address", name="Countess")).refused("invalid")
    Given(ADA).when(change(NEW, data={"last_login": "x"})).refused("invalid")
    # The password was changed between its verification and now.
    Given(ADA).when(change(NEW, credential="c0", name="Countess")).refused("forbidden")
    Given(ADA).when(change(NEW, credential=None)).refused("forbidden")
    Given().when(change(NEW)).refused("not_found")


@pytest.mark.parametrize("settled", [UserEmailChanged(email=NEW), UserEmailAbandoned(email=NEW)])
def test_who_settles_the_address_makes_earlier_changes_void(settled: Any) -> None:
    Given(ADA, settled).when(change(None)).refused("outrun")
    Given(ADA, settled).when(change(None, since=1)).then(UserEmailChanged(email=None))
    # Other changes of the user settle nothing.
    Given(ADA, UserProfileChanged(name="X")).when(change(NEW)).then(UserEmailChanged(email=NEW))


def test_an_address_is_given_up_unless_it_is_the_users() -> None:
    theirs, other = (AbandonEmail(user="s", handle=email_handle(one)) for one in ("ADA@example.org", NEW))
    Given(ADA).when(theirs).refused("held")
    given = Given(ADA).when(other).then(UserEmailAbandoned(email=NEW))
    user = given.log.state[user_key("s")]
    assert isinstance(user, User) and (user.email, user.email_settled) == ("ada@example.org", 1)
    Given(ADA, UserEmailChanged(email=None)).when(theirs).then(UserEmailAbandoned(email="ada@example.org"))
    # Who is not registered yet may be about to have it.
    Given().when(other).refused("held")


def test_a_claim_is_released_as_it_was() -> None:
    claimed, confirmed = HandleClaimed(user="ada"), HandleConfirmed(user="ada")
    first, second = (ReleaseHandle(handle="s", user="ada", version=version) for version in (0, 1))
    given = Given(claimed).when(first).then(HandleReleased(user="ada"))
    assert given.log.state[handle_key("s")] is None
    given.when(ClaimHandle(handle="s", user="bob"), id="next").then(HandleClaimed(user="bob"))
    Given(claimed, confirmed).when(second).then(HandleReleased(user="ada"))
    # Claimed again since, confirmed since, somebody else's, nobody's: nothing to release.
    Given(claimed, claimed).when(first).then()
    Given(claimed, confirmed).when(first).then()
    Given(HandleClaimed(user="bob")).when(first).then()
    Given().when(first).then()


def test_a_claim_of_ones_own_can_be_made_anew() -> None:
    claimed, confirmed = HandleClaimed(user="ada"), HandleConfirmed(user="ada")
    anew = ClaimHandle(handle="s", user="ada", anew=True)
    Given(claimed).when(anew).then(claimed)
    Given(claimed, confirmed).when(anew).then(claimed)
    Given(HandleClaimed(user="bob")).when(anew).refused("taken")
