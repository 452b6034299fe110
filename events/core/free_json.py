"""Free JSON: the values that clients make up, in ``content``, ``data``, ``model_data`` and ``emotion_data``. Pure.

They are given back as they were sent, in value: an integer with all its digits, a number with a fraction or an exponent
as the double (IEEE 754) that it is to JavaScript and Swift too.
"""

from __future__ import annotations

import msgspec

_sorted = msgspec.json.Encoder(order="sorted").encode


def same(one: object, other: object) -> bool:
    """Whether two JSON values are one and the same to a reader of JSON, whatever the order of members.

    To Python ``True == 1 == 1.0`` and ``-0.0 == 0``.
    """
    return bool(one == other) and _sorted(one) == _sorted(other)
