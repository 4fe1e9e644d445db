"""What a text costs in segments, and what cannot be sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.sms_text import checked, measure
from core.errors import InputError


@pytest.mark.parametrize(
    ("text", "encoding", "places", "segments"),
    [
        ("", "GSM-7", 0, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        ("Hej Åsa, ñandu & Ünal?\n", "GSM-7", 23, 1),
        ("ж" * 70, "UCS-2", 70, 1),
        ("ж" * 71, "UCS-2", 71, 2),
        ("ж" * 134, "UCS-2", 134, 2),
        ("ж" * 135, "UCS-2", 135, 3),
        ("😀" * 35, "UCS-2", 70, 1),
        ("😀" * 36, "UCS-2", 72, 2),
    ],
)
def test_segments_are_counted_as_networks_count_them(text: str, encoding: str, places: int, segments: int) -> None:
    """3GPP TS 23.038: 160 and 153 septets, 70 and 67 UTF-16 units."""
    size = measure(text)
    assert (size.encoding, size.places, size.segments) == (encoding, places, segments)


def test_a_character_of_two_places_is_not_cut_in_two() -> None:
    """The 153rd place stays empty: 306 places need three segments."""
    text = "a" * 152 + "€" + "a" * 152
    assert (measure(text).places, measure(text).segments) == (306, 3)


def test_the_characters_that_make_a_text_dear_are_named() -> None:
    """A typographic quote halves what fits."""
    assert measure("It’s “fine”").odd == "’“”"
    assert measure("It's fine").odd == ""


@given(st.text(max_size=900))
def test_more_text_never_costs_less(text: str) -> None:
    """And no segment holds more than it can."""
    size = measure(text)
    assert measure(text + "a").segments >= size.segments
    most = 153 if size.encoding == "GSM-7" else 67
    assert size.segments >= size.places / (160 if size.segments == 1 and size.encoding == "GSM-7" else max(most, 70))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (" \n", "empty"),
        ("a" * 1_601, "1,601 characters"),
        ("😀" * 801, "1,602 characters"),
        ("a\0b", "is none"),
        ("a\ud800b", "is none"),
    ],
)
def test_a_text_that_cannot_be_sent_is_refused_with_the_reason(text: str, words: str) -> None:
    with pytest.raises(InputError) as refused:
        checked(text)
    assert words in refused.value.reason
    assert refused.value.fix


def test_the_longest_text_goes() -> None:
    assert checked("a" * 1_600) == "a" * 1_600
