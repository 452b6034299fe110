"""A typed client of Klatsch over the Centrifuge SDK: what an app imports. The contract's types are in ``contract``."""

from klatsch_client.client import Change, KlatschClient, Status
from klatsch_client.fold import RoomEntry, State, unread
from klatsch_client.problem import Problem, Unanswered
from klatsch_client.signals import Signal

__all__ = ["Change", "KlatschClient", "Problem", "RoomEntry", "Signal", "State", "Status", "Unanswered", "unread"]
