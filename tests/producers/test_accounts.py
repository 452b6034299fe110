"""What each kind of account may, cell by cell: what the table says, and what comes of a command of each."""

from __future__ import annotations

from typing import Literal

import pytest

from producers import accounts, registry
from producers.accounts import ACCOUNTS, OTHERS
from producers.commands import Command, Refused
from producers.members import AddMember, RemoveMember
from producers.relationships import SetRelationship
from tests.producers.test_commands import EXAMPLES

YES, NO, SELF, BLOCK = "yes", "no", "oneself", "to block"
#: The table once more, by hand: a cell that changes by accident differs from it.
COPY = {
    "ChangeProfile": (YES, NO), "ChangePassword": (NO, NO), "RenewSession": (YES, YES), "CloseSession": (YES, YES),
    "SetRelationship": (BLOCK, BLOCK), "CreateVisual": (YES, NO), "ChangeVisual": (YES, NO), "ChooseVisual": (YES, NO),
    "CreateRoom": (NO, NO), "ChangeRoom": (NO, NO), "ArchiveRoom": (NO, NO), "UnarchiveRoom": (NO, NO),
    "DeleteRoom": (NO, NO), "AddMember": (SELF, SELF), "RemoveMember": (SELF, SELF), "ChangeRole": (NO, NO),
    "ChangeMember": (SELF, NO),
    "TransferOwnership": (NO, NO), "DeclineInvitation": (YES, YES), "WithdrawInvitation": (NO, NO),
    "SetNotifications": (YES, YES), "MarkRead": (YES, YES), "PostMessage": (YES, NO), "EditMessage": (YES, NO),
    "DeleteMessage": (YES, NO), "PinMessage": (YES, NO), "UnpinMessage": (YES, NO), "CreateChannel": (NO, NO),
    "DeleteChannel": (NO, NO), "ListenChannel": (YES, NO),
}  # fmt: skip
#: What a rule is about, with what it allows and what not, by the rule and the name of the command.
MEANT: dict[tuple[str, str], list[tuple[Command, bool]]] = {
    (SELF, "AddMember"): [(AddMember(room="r", user="me"), True), (AddMember(room="r", user="other"), False)],
    (SELF, "RemoveMember"): [(RemoveMember(room="r", user="me"), True), (RemoveMember(room="r", user="other"), False)],
    (BLOCK, "SetRelationship"): [
        (SetRelationship(user="me", other="o", type="block"), True),
        (SetRelationship(user="me", other="o", type=None), True),
        (SetRelationship(user="me", other="o", type="friend"), False),
    ],
}


def test_the_table_is_as_it_was_decided() -> None:
    assert {name: (row.guest.value, row.anonymous.value) for name, row in ACCOUNTS.items()} == COPY


def test_every_command_is_decided() -> None:
    assert {*ACCOUNTS, *OTHERS} == registry.COMMANDS_BY_NAME.keys() and not OTHERS & ACCOUNTS.keys()


@pytest.mark.parametrize("kind", ["guest", "anonymous"])
@pytest.mark.parametrize("name", COPY)
def test_a_cell(kind: Literal["guest", "anonymous"], name: str) -> None:
    rule = COPY[name][0 if kind == "guest" else 1]
    for command, fits in MEANT.get((rule, name), [(EXAMPLES[name], rule == YES)]):
        accounts.allow("regular", command, "me")
        if fits:
            accounts.allow(kind, command, "me")
            continue
        with pytest.raises(Refused, match=f"yours is {kind}") as refusal:
            accounts.allow(kind, command, "me")
        assert refusal.value.code == "forbidden"
