"""Tests ``api/grpc/inbound.py``: pure."""

from __future__ import annotations

import pytest

from api.grpc.inbound import peer_address


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:10.1.2.3:50000", "10.1.2.3"),
        ("ipv6:%5B2001:db8:1:2:3:4:5:6%5D:50000", "2001:db8:1:2::/64"),
        ("ipv6:[2001:db8:1:2:3:4:5:6]:50000", "2001:db8:1:2::/64"),
        ("ipv6:%5B::ffff:10.1.2.3%5D:50000", "10.1.2.3"),
        ("unix:/run/some.sock", ""),
        ("", ""),
    ],
)
def test_where_a_call_comes_from(peer: str, address: str) -> None:
    assert peer_address(peer) == address
