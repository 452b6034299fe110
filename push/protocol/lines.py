"""Line ends in JSON: a frame of text is lines, an object on each."""

from __future__ import annotations


def one_line(data: bytes) -> bytes:
    """JSON without line ends, which part the objects of a frame and can only be white space in JSON."""
    if b"\n" in data or b"\r" in data:
        return data.replace(b"\r", b" ").replace(b"\n", b" ")
    return data
