"""Ranges of characters that Python's ``unicodedata`` does not tell: first and last code of each, in order. Pure."""

from __future__ import annotations

from bisect import bisect_right

Ranges = tuple[tuple[int, int], ...]

#: Default_Ignorable_Code_Point: shown as nothing. Unicode 16, DerivedCoreProperties.txt.
IGNORABLE: Ranges = (
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip


def within(code: int, ranges: Ranges) -> bool:
    """Whether a character's code is in one of the ranges."""
    place = bisect_right(ranges, (code, 0x110000)) - 1
    return place >= 0 and code <= ranges[place][1]
