"""Who may give which command, by what kind of account they have: the one table, and the check against it. Pure.

The kind stands in the token: it is for good, so that no look at the user is needed, and the check is the same on every
node. What a role in a room allows is asked after that (``roles.py``): both must allow it.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from events.users import Account
from producers.commands import Command, Refused


class AccountRule(Enum):
    """One cell of the table; the value is how the reference shows it."""

    YES = "yes"
    NO = "no"
    #: Joining and leaving.
    SELF = "oneself"
    #: To block somebody, and to lift that.
    BLOCK = "to block"


class AccountRow(NamedTuple):
    """One command: the rule for guests, and for who is anonymous. Regular accounts may give all."""

    guest: AccountRule
    anonymous: AccountRule


_YES, _NO, _SELF, _BLOCK = AccountRule.YES, AccountRule.NO, AccountRule.SELF, AccountRule.BLOCK

#: By the name of the command: a guest takes part and makes nothing, who is anonymous looks on.
ACCOUNTS: dict[str, AccountRow] = {
    #                                guest   anonymous
    "ChangeProfile":      AccountRow(_YES,   _NO),
    "ChangePassword":     AccountRow(_NO,    _NO),
    "RenewSession":       AccountRow(_YES,   _YES),
    "CloseSession":       AccountRow(_YES,   _YES),
    "SetRelationship":    AccountRow(_BLOCK, _BLOCK),
    "CreateVisual":       AccountRow(_YES,   _NO),
    "ChangeVisual":       AccountRow(_YES,   _NO),
    "ChooseVisual":       AccountRow(_YES,   _NO),
    "CreateRoom":         AccountRow(_NO,    _NO),
    "ChangeRoom":         AccountRow(_NO,    _NO),
    "ArchiveRoom":        AccountRow(_NO,    _NO),
    "UnarchiveRoom":      AccountRow(_NO,    _NO),
    "DeleteRoom":         AccountRow(_NO,    _NO),
    "AddMember":          AccountRow(_SELF,  _SELF),
    "RemoveMember":       AccountRow(_SELF,  _SELF),
    "ChangeMember":       AccountRow(_SELF,  _NO),
    "ChangeRole":         AccountRow(_NO,    _NO),
    "TransferOwnership":  AccountRow(_NO,    _NO),
    "DeclineInvitation":  AccountRow(_YES,   _YES),
    "WithdrawInvitation": AccountRow(_NO,    _NO),
    "SetNotifications":   AccountRow(_YES,   _YES),
    "MarkRead":           AccountRow(_YES,   _YES),
    "PostMessage":        AccountRow(_YES,   _NO),
    "EditMessage":        AccountRow(_YES,   _NO),
    "DeleteMessage":      AccountRow(_YES,   _NO),
    "PinMessage":         AccountRow(_YES,   _NO),
    "UnpinMessage":       AccountRow(_YES,   _NO),
    "CreateChannel":      AccountRow(_NO,    _NO),
    "DeleteChannel":      AccountRow(_NO,    _NO),
    "ListenChannel":      AccountRow(_YES,   _NO),
}  # fmt: skip
#: Commands that nobody gives with the token of such an account: to come in at all, an operator's, a server's, ours.
OTHERS = frozenset({
    "RegisterUser", "AbandonRegistration", "AbandonEmail", "NoteSeen", "OpenSession", "IssueSession", "DeactivateUser",
    "ReactivateUser", "ClaimHandle", "ConfirmHandle", "ReleaseHandle", "RestoreRoom", "SetEmotion", "NumberUser",
    "RevertInRoom", "RevertOfUser", "CreateApp", "ChangeApp", "RollKey", "SuspendApp", "ResumeApp", "RevokeAppTokens",
    "UseSession", "RevokeTokens", "EraseUser", "NoteErasure", "HideMessage",
    "EraseApp", "CompleteErasure", "CountUsage", "ChoosePlan", "DefinePlan", "WithdrawPlan",
    "CreateTeam", "ChangeTeam", "RemoveTeam", "RestoreTeam", "SetTeam",
})  # fmt: skip


def allow(kind: Account, command: Command, actor: str) -> None:
    """Refuses with ``forbidden`` what the table does not allow an account of this kind."""
    name = type(command).__name__
    if kind == "regular" or name in OTHERS:
        return
    row = ACCOUNTS[name]
    rule: AccountRule = getattr(row, kind)
    if not _holds(rule, command, actor):
        cells = f"regular: yes, guest: {row.guest.value}, anonymous: {row.anonymous.value}"
        raise Refused("forbidden", f"expected an account that may ({cells}); yours is {kind}")


def _holds(rule: AccountRule, command: Command, actor: str) -> bool:
    match rule:
        case AccountRule.SELF:
            return getattr(command, "user", None) == actor
        case AccountRule.BLOCK:
            return getattr(command, "type", None) in ("block", None)
    return rule is AccountRule.YES
