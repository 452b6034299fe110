"""Who is connected, and revocation against token checks that are under way."""

from __future__ import annotations

import time

from push.delivery.peers import CONNECTIONS, Peers
from push.protocol import codes
from push.protocol.backend import ConnectionIdentity
from push.protocol.codes import Disconnect


class Peer:
    def __init__(self, peers: Peers) -> None:
        self.client = "c"
        self.disconnects: list[Disconnect] = []
        self._peers = peers

    def cut(self, disconnect: Disconnect) -> None:
        self.disconnects.append(disconnect)
        self._peers.leave(self)


def who(user: str, session: str) -> ConnectionIdentity:
    return ConnectionIdentity(user=user, session=session, expires=2e9)


def joined(peers: Peers, user: str, session: str) -> Peer:
    peer = Peer(peers)
    assert peers.join(peer, who(user, session), time.monotonic()) is None
    return peer


def test_a_user_has_so_many_connections_and_others_are_not_concerned() -> None:
    peers = Peers()
    many = [joined(peers, "ann", "s1") for _ in range(CONNECTIONS)]
    assert peers.join(Peer(peers), who("ann", "s2"), time.monotonic()) == codes.TOO_MANY
    assert peers.join(many[0], who("ann", "s1"), time.monotonic()) is None, "a token that is renewed takes no place"
    joined(peers, "bob", "s3")
    peers.leave(many[0])
    joined(peers, "ann", "s2")


def test_a_revocation_cuts_the_connections_it_names_and_no_others() -> None:
    peers = Peers()
    one, two, other = joined(peers, "ann", "s1"), joined(peers, "ann", "s1"), joined(peers, "ann", "s2")
    bob = joined(peers, "bob", "s3")
    peers.revoked("s1")
    assert one.disconnects == two.disconnects == [codes.REVOKED]
    assert not other.disconnects
    peers.revoked_user("ann")
    assert other.disconnects == [codes.REVOKED]
    assert not bob.disconnects and len(peers) == 1


def test_a_token_that_was_revoked_while_it_was_checked_does_not_get_in() -> None:
    peers = Peers()
    asked = time.monotonic()
    peers.revoked("s1")
    peers.revoked_user("bob")
    assert peers.join(Peer(peers), who("ann", "s1"), asked) == codes.REVOKED
    assert peers.join(Peer(peers), who("bob", "s9"), asked) == codes.REVOKED
    assert peers.join(Peer(peers), who("ann", "s2"), asked) is None


def test_a_user_who_logs_in_again_after_a_revocation_gets_in() -> None:
    peers = Peers()
    peers.revoked_user("bob")
    assert peers.join(Peer(peers), who("bob", "s9"), time.monotonic()) is None


def test_joining_again_replaces_the_identity_and_leaving_twice_is_harmless() -> None:
    peers = Peers()
    peer = joined(peers, "ann", "s1")
    assert peers.join(peer, who("ann", "s2"), time.monotonic()) is None
    peers.revoked("s1")
    assert not peer.disconnects and peers.of_user("ann") == (peer,)
    peers.leave(peer)
    peers.leave(peer)
    assert peers.of_user("ann") == ()
