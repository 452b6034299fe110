"""The emotion of a text by its words."""

from __future__ import annotations

import pytest

from projectors.workers.lexicon import EMOTIONS, dominant


@pytest.mark.parametrize(
    ("text", "emotion"),
    [
        ("What a wonderful, happy day! I love it", "joy"),
        ("thanks :)", "joy"),
        ("😀", "joy"),
        ("she was crying at the funeral", "sadness"),
        ("my disk is gone :(", "sadness"),
        ("I am furious about this outrage", "anger"),
        ("ghosts terrify me", "fear"),
        ("rotten, disgusting filth", "disgust"),
        ("HAPPY BIRTHDAY", "joy"),
        ("happily married friends laughed", "joy"),
    ],
)
def test_emotional_text(text: str, emotion: str) -> None:
    assert dominant(text) == emotion


@pytest.mark.parametrize(
    "text",
    ["", "   ", "install the kernel headers", "12:30", "ok", "/etc/fstab", "http://127.0.0.1:8400/", "\u0000\ud83d"],
)
def test_neutral_text(text: str) -> None:
    assert dominant(text) is None


def test_a_negation_takes_its_words_out() -> None:
    assert dominant("I am happy") == "joy"
    assert dominant("I am not happy") is None
    assert dominant("I don't love it") is None
    assert dominant("no, I am happy") == "joy"


def test_the_strongest_is_shown_and_ties_are_settled_by_order() -> None:
    assert dominant("love and joy and one ghost :)") == "joy"
    assert dominant(":( :)") == EMOTIONS[0] == "joy"
    assert dominant(":( :( :)") == "sadness"
